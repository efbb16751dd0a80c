import SandboxModel

/// Reads the engine's event stream: one JSON object after another, usually a line each. Pure and bounded.
struct DockerEventReader: Sendable {
    /// Bytes that one event may take. Labels are part of an event, and an image may carry many.
    static let lineLimit = 256 * 1024

    private var line: [UInt8] = []

    /// Reads on.
    /// - Returns: Events of containers that anybody here asks about, in order.
    /// - Throws: `failed` for a line that is too long or no JSON: what follows cannot be trusted, connect again.
    mutating func read(_ bytes: ArraySlice<UInt8>) throws(RuntimeError) -> [EngineEvent] {
        var events: [EngineEvent] = []
        var rest = bytes
        while let end = rest.firstIndex(of: 0x0A) {
            line += rest[..<end]
            rest = rest[(end + 1)...]
            let whole = line
            line.removeAll(keepingCapacity: true)
            if let event = try DockerEventReader.event(whole) { events.append(event) }
        }
        line += rest
        guard line.count <= DockerEventReader.lineLimit else {
            throw RuntimeError(
                .failed, operation: "events", detail: "one event has more than \(DockerEventReader.lineLimit) bytes")
        }
        return events
    }

    /// Reads one event.
    /// - Returns: `nil` for an empty line and for kinds of event that nobody asks about.
    static func event(_ line: [UInt8]) throws(RuntimeError) -> EngineEvent? {
        guard line.contains(where: { $0 > 0x20 }) else { return nil }
        guard line.count <= lineLimit else {
            throw RuntimeError(.failed, operation: "events", detail: "one event has more than \(lineLimit) bytes")
        }
        let node: DocumentNode
        do {
            node = try JSONParser.parse(line)
        } catch {
            throw RuntimeError(.failed, operation: "events", detail: "no JSON: \(error)")
        }
        guard node["Type"]?.string ?? "container" == "container" else { return nil }
        let action = node["Action"]?.string ?? node["status"]?.string ?? node["Status"]?.string ?? ""
        let attributes = node["Actor"]?["Attributes"]
        let kind: EngineEvent.Kind
        switch action {
        case "die", "died":
            let text = attributes?["exitCode"]?.string ?? attributes?["containerExitCode"]?.string
            kind = .died(exitCode: text.flatMap { Int($0) })
        case "oom": kind = .outOfMemory
        case "pause": kind = .paused
        case "unpause": kind = .resumed
        case "update": kind = .updated
        case "destroy", "remove": kind = .removed
        default: return nil
        }
        let name = node["Actor"]?["ID"]?.string ?? node["id"]?.string
        guard let id = name.flatMap(EngineID.init(rawValue:)) else {
            throw RuntimeError(.failed, operation: "events", detail: "an event names no container")
        }
        return EngineEvent(engineID: id, kind: kind)
    }
}
