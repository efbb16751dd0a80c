internal import LinuxSystem

/// A segment opened for reading, plain or compressed.
struct SegmentFile: Sendable {
    let file: any JournalFile
    let isCompressed: Bool
    /// What is in it, where that is known.
    var index: SegmentIndex?

    /// Opens the segment that begins with `firstSeq`, whichever form it is in by now.
    ///
    /// The archiver puts the compressed form in place before it takes the plain one away, so one of two tries
    /// finds it unless it was retired.
    /// - Returns: `nil` when there is no such segment.
    static func open(
        _ firstSeq: Int64, of stream: JournalStream, in storage: any JournalStorage
    ) throws(JournalError) -> SegmentFile? {
        let folder = stream.rawValue + "/"
        for name in [SegmentName.plain(firstSeq), SegmentName.compressed(firstSeq)] {
            do throws(SystemError) {
                let file = try storage.open(folder + name, forWriting: false)
                return SegmentFile(file: file, isCompressed: name.hasSuffix(".gz"))
            } catch {
                guard error.isMissing else { throw JournalError(error, .io, folder + name) }
            }
        }
        return nil
    }

    /// The next piece of the uncompressed content.
    /// - Parameter position: Place in the file, moved behind the piece.
    /// - Returns: `nil` at the end.
    /// - Throws: `damaged` when a compressed piece is.
    func nextBlock(_ position: inout Int64) throws(JournalError) -> [UInt8]? {
        if isCompressed {
            guard let block = try GzipBlock.inflate(file, at: position) else { return nil }
            position = block.end
            return block.bytes
        }
        do throws(SystemError) {
            let bytes = try file.readAll(at: position, count: LineReading.chunkBytes)
            position += Int64(bytes.count)
            return bytes.isEmpty ? nil : bytes
        } catch {
            throw JournalError(error)
        }
    }

    /// The size of the file in bytes.
    func size() throws(JournalError) -> Int64 {
        do throws(SystemError) { return try file.size() } catch { throw JournalError(error) }
    }
}
