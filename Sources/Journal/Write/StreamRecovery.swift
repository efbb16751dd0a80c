internal import LinuxSystem
internal import SandboxModel

/// Looks through the end of one stream when a data folder is opened, and repairs what a crash leaves.
///
/// A crash leaves an unfinished end, and only in what nobody was told to be on disk: `state/head` is behind
/// the records, so an end behind it may be cut. Everything else is damage. Damaged segments stay as they are,
/// as evidence, and the stream goes on in a new one with numbers that were never used.
struct StreamRecovery {
    let stream: JournalStream
    let storage: any JournalStorage
    /// What `state/head` says of the stream.
    let known: StreamHead?
    let now: Timestamp

    private var path: String { stream.rawValue + "/" }

    /// Looks through the stream.
    /// - Throws: `io` when the disk does not answer.
    func run(into report: inout RecoveryReport) throws(JournalError) -> RecoveredStream {
        do throws(SystemError) {
            try storage.makeFolder(stream.rawValue)
        } catch {
            throw JournalError(error, .io, stream.rawValue)
        }
        var catalog = try SegmentCatalog.load(stream, in: storage)
        try removeUnfinished(&catalog, into: &report)
        while let entry = catalog.entries.last {
            let segment = try open(entry)
            let scanned = try ScannedSegment(segment, entry, stream: stream, known: known)
            if try removeIfEmpty(entry, scanned, segment, into: &report) {
                catalog.entries.removeLast()
                continue
            }
            let found = try repair(entry, segment, scanned, into: &report)
            return finish(conclude(segment, found, into: &report), into: &report)
        }
        return finish(RecoveredStream(head: .empty(stream)), into: &report)
    }

    private func open(_ entry: SegmentCatalog.Entry) throws(JournalError) -> SegmentFile {
        let isPlain = entry.plainBytes != nil
        do throws(SystemError) {
            let file = try storage.open(path + entry.name, forWriting: isPlain)
            return SegmentFile(file: file, isCompressed: !isPlain)
        } catch {
            throw JournalError(error, .io, path + entry.name)
        }
    }

    /// Removes files that were being written, and compressed forms whose plain form was not yet taken away.
    private func removeUnfinished(
        _ catalog: inout SegmentCatalog, into report: inout RecoveryReport
    ) throws(JournalError) {
        var names = catalog.temporaries + catalog.strays
        for (index, entry) in catalog.entries.enumerated()
        where entry.plainBytes != nil && entry.compressedBytes != nil {
            names.append(SegmentName.compressed(entry.firstSeq))
            names.append(SegmentName.index(entry.firstSeq))
            catalog.entries[index].compressedBytes = nil
            catalog.entries[index].indexBytes = nil
        }
        for name in names {
            do throws(SystemError) {
                try storage.removeIfThere(path + name)
            } catch {
                throw JournalError(error, .io, path + name)
            }
        }
        if !names.isEmpty { report.add(.init(.temporaryRemoved, stream, detail: "\(names.count) files")) }
    }

    /// Takes away a segment without header and records, unless records of it were once on disk: the next
    /// segment will have its name. What is not just an unfinished header is kept aside.
    private func removeIfEmpty(
        _ entry: SegmentCatalog.Entry, _ found: ScannedSegment, _ segment: SegmentFile,
        into report: inout RecoveryReport
    ) throws(JournalError) -> Bool {
        guard !segment.isCompressed, found.header == nil, found.last.seq < entry.firstSeq,
            (known?.seq ?? 0) < entry.firstSeq
        else { return false }
        var kind = RecoveryReport.Item.Kind.emptySegmentRemoved
        var detail = "\(entry.plainBytes ?? 0) bytes of an unfinished header"
        if let fault = found.faults.first {
            let repair = TailRepair(stream: stream, storage: storage, name: entry.name, floor: 0)
            detail = "\(fault.kind.rawValue): \(fault.detail); \(try repair.cut(segment, at: 0))"
            kind = .damaged
        }
        do throws(SystemError) {
            try storage.remove(path + entry.name)
            try storage.syncFolder(stream.rawValue)
        } catch {
            throw JournalError(error, .io, path + entry.name)
        }
        report.add(.init(kind, stream, segment: entry.name, detail: detail))
        return true
    }

    /// Repairs what a crash may have left at the end, and flushes what is there.
    private func repair(
        _ entry: SegmentCatalog.Entry, _ segment: SegmentFile, _ scanned: ScannedSegment,
        into report: inout RecoveryReport
    ) throws(JournalError) -> ScannedSegment {
        var found = scanned
        let repair = TailRepair(stream: stream, storage: storage, name: entry.name, floor: known?.seq ?? 0)
        if let tail = found.tail, found.faults.isEmpty {
            switch try repair.repair(tail, in: segment, after: found.last) {
            case .completed(let claim):
                found.complete(tail, claim)
                report.add(item(.lineCompleted, entry, tail.number, tail.offset, "record \(claim.seq)"))
            case .cut(let detail):
                report.add(item(.tailCut, entry, tail.number, tail.offset, detail))
            case .damage:
                found.blame(tail)
            }
        } else if found.isZeroFilled, let fault = found.faults.first, !segment.isCompressed {
            // What follows the zeros was written with them or after them: nobody was told of it.
            let before = try ScannedSegment(segment, entry, stream: stream, known: known, upTo: fault.offset)
            if before.header != nil, before.last.seq >= (known?.seq ?? 0) {
                let detail = try repair.cut(segment, at: fault.offset)
                report.add(item(.tailCut, entry, fault.line, fault.offset, detail))
                found = before
            }
        }
        if !segment.isCompressed {
            // Lines that the process before wrote and did not flush count from here on.
            do throws(SystemError) { try segment.file.sync() } catch { throw JournalError(error) }
        }
        return found
    }

    private func item(
        _ kind: RecoveryReport.Item.Kind, _ entry: SegmentCatalog.Entry, _ line: Int, _ offset: Int64,
        _ detail: String
    ) -> RecoveryReport.Item {
        .init(kind, stream, segment: entry.name, line: line, offset: offset, detail: detail)
    }

    /// Decides where the stream goes on: in the segment when it is whole, else in a new one.
    private func conclude(
        _ segment: SegmentFile, _ found: ScannedSegment, into report: inout RecoveryReport
    ) -> RecoveredStream {
        var reasons: [String] = []
        for fault in found.faults {
            report.add(
                .init(
                    .damaged, stream, segment: fault.segment, line: fault.line, offset: fault.offset,
                    detail: "\(fault.kind.rawValue): \(fault.detail)"))
        }
        var result = RecoveredStream(head: found.last)
        if !found.faults.isEmpty {
            reasons.append("the segment before is damaged")
            // How many records an unreadable compressed segment holds is not known; its own name must stay
            // free.
            if segment.isCompressed {
                result.head = StreamHead(seq: max(found.firstSeq, found.last.seq), chain: found.last.chain)
            }
            // A chain that cannot be read off the end of the segment begins again with what is known of it.
            if stream.isChained, result.head.chain == nil {
                result.head = StreamHead(seq: result.head.seq, chain: known?.chain ?? .start)
            }
        }
        if let known, let chain = found.chainAtKnown, let expected = known.chain, chain != expected {
            let detail = "record \(known.seq) has another chain than state/head says"
            report.add(.init(.headMismatch, stream, segment: found.name, detail: detail))
            reasons.append("the chain is another than state/head says")
        }
        if !reasons.isEmpty {
            result.gap = JournalRecords.Gap(since: now, reason: reasons.joined(separator: "; "))
        } else if !segment.isCompressed, !found.isSealed, let header = found.header {
            result.segment = ActiveSegment(
                file: segment.file, path: path + found.name, firstSeq: found.firstSeq, bytes: found.goodBytes,
                createdAt: header.createdAt, origin: header.origin, headerDigest: found.headerDigest,
                summary: found.summary)
        }
        return result
    }

    /// Compares the end of the stream with what is known to have been on disk.
    private func finish(_ found: RecoveredStream, into report: inout RecoveryReport) -> RecoveredStream {
        var result = found
        if let known, known.seq > result.head.seq {
            let missing = (result.head.seq + 1)...known.seq
            let range = "records \(missing.lowerBound) to \(missing.upperBound)"
            report.add(.init(.tailMissing, stream, detail: "\(range) were on disk and are gone"))
            let reasons = [result.gap?.reason, "records that were on disk are gone"].compactMap { $0 }
            result.gap = JournalRecords.Gap(
                since: now, reason: reasons.joined(separator: "; "), missing: missing)
            result.segment = nil
            result.head = known
        }
        report.heads[stream] = result.head
        return result
    }
}
