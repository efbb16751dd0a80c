internal import LinuxSystem

/// Compresses sealed segments and writes their indexes.
struct SegmentArchiver {
    let stream: JournalStream
    let storage: any JournalStorage

    private var folder: String { stream.rawValue }

    /// Compresses a sealed segment into blocks, reads the result back and compares it, and only then takes
    /// the plain form away. At any moment at least one whole form is there.
    /// - Throws: `damaged` when a line is too long for a block (the segment stays as it is), `io`.
    func compress(_ firstSeq: Int64) throws(JournalError) {
        let plain = "\(folder)/\(SegmentName.plain(firstSeq))"
        let final = "\(folder)/\(SegmentName.compressed(firstSeq))"
        let temporary = final + ".tmp"
        do throws(SystemError) {
            let source = try storage.open(plain, forWriting: false)
            try storage.removeIfThere(temporary)
            let target = try storage.create(temporary)
            let (index, digest) = try write(source, to: target)
            try target.sync()
            guard try read(target) == digest else {
                throw SystemError(
                    errno: ErrorNumber.io, operation: "compress", detail: "reads back as other bytes")
            }
            try save(index, firstSeq)
            try storage.rename(temporary, to: final)
            try storage.syncFolder(folder)
            try storage.remove(plain)
            try storage.syncFolder(folder)
        } catch {
            discard(temporary)
            throw JournalError(error, error.errno == ErrorNumber.tooLong ? .damaged : .io, plain)
        }
    }

    /// Writes the index of a segment that has none.
    func index(_ firstSeq: Int64) throws(JournalError) {
        guard let segment = try SegmentFile.open(firstSeq, of: stream, in: storage) else { return }
        var index = SegmentIndex(summary: SegmentSummary(), blocks: [])
        if segment.isCompressed {
            index = try SegmentIndex.build(segment, stream: stream)
        } else {
            var lines = ForwardLines(segment)
            while let line = try lines.next(), line.isTerminated { index.summary.add(line.bytes, of: stream) }
        }
        do throws(SystemError) {
            try save(index, firstSeq)
        } catch {
            throw JournalError(error, .io, "\(folder)/\(SegmentName.index(firstSeq))")
        }
    }

    private func save(_ index: SegmentIndex, _ firstSeq: Int64) throws(SystemError) {
        let path = "\(folder)/\(SegmentName.index(firstSeq))"
        try storage.replaceFile(path, by: path + ".tmp", in: folder, content: index.bytes(of: stream))
    }

    private func discard(_ path: String) {
        do throws(SystemError) {
            try storage.removeIfThere(path)
        } catch {
            // It is removed at the next attempt or the next start.
        }
    }

    /// Cuts the content into blocks of whole lines and writes each as a member of its own.
    private func write(
        _ source: any JournalFile, to target: any JournalFile
    ) throws(SystemError) -> (index: SegmentIndex, digest: ChainValue) {
        var index = SegmentIndex(summary: SegmentSummary(), blocks: [])
        var digest = ChainValue.Running()
        var buffer: [UInt8] = []
        var from: Int64 = 0
        var start: Int64 = 0
        var position: Int64 = 0
        while true {
            let piece = try source.readAll(at: from, count: LineReading.chunkBytes)
            from += Int64(piece.count)
            digest.add(piece.span)
            buffer += piece
            let isEnd = piece.isEmpty
            if isEnd && buffer.isEmpty { return (index, digest.finish()) }
            guard isEnd || buffer.count >= GzipBlock.wantedBytes else { continue }
            var end = buffer.count
            if !isEnd {
                guard let newline = LineReading.newline(in: buffer, before: buffer.count, notBefore: 0) else {
                    guard buffer.count <= GzipBlock.limitBytes / 2 else {
                        throw SystemError(errno: ErrorNumber.tooLong, operation: "compress", detail: "a line")
                    }
                    continue
                }
                end = newline + 1
            }
            let block = Array(buffer[..<end])
            buffer.removeFirst(end)
            let member = try deflate(block)
            try target.writeAll(member, at: position)
            index.add(block, at: position, start: start, stream: stream)
            position += Int64(member.count)
            start += Int64(block.count)
        }
    }

    private func deflate(_ block: [UInt8]) throws(SystemError) -> [UInt8] {
        do {
            return try GzipBlock.deflate(block)
        } catch {
            throw SystemError(errno: ErrorNumber.io, operation: "deflate", detail: error.detail)
        }
    }

    /// The hash of the uncompressed content, read back.
    private func read(_ file: any JournalFile) throws(SystemError) -> ChainValue {
        var digest = ChainValue.Running()
        var position: Int64 = 0
        do {
            while let block = try GzipBlock.inflate(file, at: position) {
                digest.add(block.bytes.span)
                position = block.end
            }
        } catch {
            throw SystemError(errno: ErrorNumber.io, operation: error.operation, detail: error.detail)
        }
        return digest.finish()
    }
}
