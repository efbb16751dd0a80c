import Dispatch
import Glibc

/// SIGTERM and SIGINT, as something that can be awaited.
enum TerminationSignal {
    /// Returns at the first of either signal. A second one ends the process at once, for people who cannot wait.
    static func wait() async {
        for number in [SIGTERM, SIGINT] {
            // The source below receives the signal instead.
            signal(number, SIG_IGN)
        }
        let queue = DispatchQueue(label: "sandwarden.signals")
        let (stream, continuation) = AsyncStream.makeStream(
            of: Int32.self, bufferingPolicy: .bufferingNewest(4))
        let sources = [SIGTERM, SIGINT].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
        var iterator = stream.makeAsyncIterator()
        _ = await iterator.next()
        Task {
            var rest = iterator
            // A signal to the process and to its group is one wish: repeats of the first second do not count.
            let first = ContinuousClock.now
            while let number = await rest.next() {
                guard first.duration(to: .now) > .seconds(1) else { continue }
                for source in sources { source.cancel() }
                Glibc.exit(128 + number)
            }
        }
    }
}
