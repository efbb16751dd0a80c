internal import LinuxSystem

/// Repairs the end of a segment that a crash left unfinished.
struct TailRepair {
    enum Outcome {
        /// Only the newline was missing.
        case completed(LineClaim)
        /// Cut off; the text says what and where it was kept.
        case cut(String)
        /// Not the work of a crash: it is left as it is.
        case damage
    }

    /// Folder for what was cut off, how many files it holds at most and how long each may be.
    static let asideFolder = "aside"
    static let asideLimit = 64
    static let asideBytes = 4 << 20

    let stream: JournalStream
    let storage: any JournalStorage
    let name: String
    /// The last record of the stream that is known to have been on disk.
    let floor: Int64

    /// Completes or cuts a last line that has no newline.
    /// - Parameter last: The record before it.
    func repair(
        _ tail: RawLine, in segment: SegmentFile, after last: StreamHead
    ) throws(JournalError) -> Outcome {
        if segment.isCompressed { return .damage }
        var checker = LineChecker(stream, expectedSeq: last.seq + 1, chain: last.chain, isThorough: true)
        let (claim, complaints) = checker.check(tail)
        if let claim, complaints.isEmpty {
            do throws(SystemError) {
                try segment.file.writeAll([0x0A], at: tail.offset + Int64(tail.bytes.count))
                try segment.file.sync()
            } catch {
                throw JournalError(error)
            }
            return .completed(claim)
        }
        guard last.seq >= floor else { return .damage }
        return .cut(try cut(segment, at: tail.offset))
    }

    /// Cuts a segment and keeps what was cut off aside.
    /// - Returns: What was done.
    func cut(_ segment: SegmentFile, at offset: Int64) throws(JournalError) -> String {
        do throws(SystemError) {
            let length = try segment.file.size() - offset
            let kept = keepAside(segment, from: offset, length: length)
            try segment.file.truncate(to: offset)
            try segment.file.sync()
            return "\(length) bytes, \(kept)"
        } catch {
            throw JournalError(error)
        }
    }

    /// Copies what is about to be cut off. Nobody was told that it is on disk, so a copy that cannot be made
    /// is no reason not to start.
    private func keepAside(_ segment: SegmentFile, from offset: Int64, length: Int64) -> String {
        let digits = name.prefix { $0 != "." }
        let path = "\(TailRepair.asideFolder)/\(stream.rawValue)-\(digits)-\(offset)"
        do throws(SystemError) {
            try storage.makeFolder(TailRepair.asideFolder)
            let files = try storage.list(TailRepair.asideFolder)
            guard files.count < TailRepair.asideLimit else {
                return "not kept: \(TailRepair.asideFolder) is full"
            }
            let count = Int(min(length, Int64(TailRepair.asideBytes)))
            let bytes = try segment.file.readAll(at: offset, count: count)
            try storage.removeIfThere(path)
            let file = try storage.create(path)
            try file.writeAll(bytes, at: 0)
            try file.sync()
            try storage.syncFolder(TailRepair.asideFolder)
            return Int64(count) < length ? "the first \(count) kept as \(path)" : "kept as \(path)"
        } catch {
            return "not kept: \(error)"
        }
    }
}
