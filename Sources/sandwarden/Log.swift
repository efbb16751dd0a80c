import Logging

/// The daemon's log: one line an event on standard error.
enum Log {
    static func make(level: DaemonConfiguration.LogLevel) -> Logger {
        var logger = Logger(label: "sandwarden") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        return logger
    }
}
