internal import Synchronization

/// Keeps the beginning of what an exec prints and counts the rest.
final class ExecOutputKeeper: Sendable {
    private struct State {
        var stdout: [UInt8] = []
        var stderr: [UInt8] = []
        var isTruncated = false
    }

    /// Bytes of each stream that are kept.
    let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = max(0, limit) }

    /// Takes a piece.
    /// - Returns: The part of it within the limit, for those who listen; `nil` when nothing of it is.
    func take(_ piece: ExecOutput) -> ExecOutput? {
        let kept = state.withLock { state -> [UInt8] in
            let room = limit - (piece.stream == .stdout ? state.stdout.count : state.stderr.count)
            let kept = Array(piece.bytes.prefix(max(0, room)))
            if kept.count < piece.bytes.count { state.isTruncated = true }
            switch piece.stream {
            case .stdout: state.stdout += kept
            case .stderr: state.stderr += kept
            }
            return kept
        }
        return kept.isEmpty ? nil : ExecOutput(stream: piece.stream, bytes: kept)
    }

    /// What was kept so far, and whether something was not.
    var content: (stdout: [UInt8], stderr: [UInt8], isTruncated: Bool) {
        state.withLock { ($0.stdout, $0.stderr, $0.isTruncated) }
    }
}
