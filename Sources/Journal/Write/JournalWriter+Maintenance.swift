internal import Dispatch
internal import LinuxSystem
internal import Metrics
internal import SandboxModel
internal import Synchronization

// Everything here runs on the maintenance thread.
extension JournalWriter {
    func scheduleMaintenance() {
        guard let interval = configuration.maintenanceInterval else { return }
        let nanoseconds = Int(clamping: max(interval, .milliseconds(10)).wholeNanoseconds)
        maintenanceQueue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [weak self] in
            guard let self, !self.intake.withLock({ $0.isClosed }) else { return }
            self.maintain()
            self.scheduleMaintenance()
        }
    }

    /// Seals what is full by age, compresses what is sealed and removes what is kept no longer, without
    /// waiting for the timer.
    package func maintainNow() async {
        await withCheckedContinuation { continuation in
            maintenanceQueue.async {
                self.maintain()
                continuation.resume()
            }
        }
    }

    private func maintain() {
        let now = configuration.clock()
        queue.sync {
            guard core.withLock({ !$0.isClosed }) else { return }
            for stream in JournalStream.allCases {
                core.withLock { $0.appenders[stream.index].rotateIfFull(now: now) }
                refresh(stream)
                stopIfFailed(stream)
            }
        }
        guard !intake.withLock({ $0.isClosed }) else { return }
        for stream in JournalStream.allCases {
            do throws(JournalError) {
                try archive(stream)
                try retire(stream, now)
                let catalog = try SegmentCatalog.load(stream, in: storage)
                metrics.diskBytes[stream.index].set(Double(catalog.entries.reduce(0) { $0 + $1.bytes }))
            } catch {
                // Tried again at the next turn; a disk that takes no records says so by itself.
                metrics.maintenanceFailures.increment()
            }
        }
    }

    private func archive(_ stream: JournalStream) throws(JournalError) {
        let archiver = SegmentArchiver(stream: stream, storage: storage)
        for entry in try SegmentCatalog.load(stream, in: storage).entries.dropLast() {
            if entry.plainBytes != nil, configuration.compressesSealedSegments {
                do throws(JournalError) {
                    try archiver.compress(entry.firstSeq)
                    continue
                } catch {
                    // A damaged segment stays as it is.
                    guard error.code == .damaged else { throw error }
                }
            }
            if entry.indexBytes == nil { try archiver.index(entry.firstSeq) }
        }
    }

    /// Removes the oldest sealed segments that are kept no longer, after a record in the stream said so.
    private func retire(_ stream: JournalStream, _ now: Timestamp) throws(JournalError) {
        guard let retention = configuration.retention[stream] else { return }
        let catalog = try SegmentCatalog.load(stream, in: storage)
        let (victims, reason) = try choose(from: catalog, stream, retention, now)
        guard let last = victims.last, let place = catalog.entries.firstIndex(of: last),
            let through = catalog.lastSeq(at: place)
        else { return }
        let members = JournalRecords.retired(
            through: through, segments: victims.count, bytes: victims.reduce(0) { $0 + $1.bytes },
            reason: reason,
            at: now)
        try appendOwn(members, to: stream, now)
        do throws(SystemError) {
            for victim in victims {
                for name in [
                    SegmentName.plain(victim.firstSeq), SegmentName.compressed(victim.firstSeq),
                    SegmentName.index(victim.firstSeq),
                ] {
                    try storage.removeIfThere("\(stream.rawValue)/\(name)")
                }
            }
            try storage.syncFolder(stream.rawValue)
        } catch {
            throw JournalError(error, .io, stream.rawValue)
        }
    }

    private func choose(
        from catalog: SegmentCatalog, _ stream: JournalStream, _ retention: JournalConfiguration.Retention,
        _ now: Timestamp
    ) throws(JournalError) -> (victims: [SegmentCatalog.Entry], reason: String) {
        var victims: [SegmentCatalog.Entry] = []
        var reason = "age"
        var total = catalog.entries.reduce(0) { $0 + $1.bytes }
        for entry in catalog.entries.dropLast() {
            if let limit = retention.maximumBytes, total > limit {
                reason = "bytes"
            } else if let age = retention.maximumAgeSeconds {
                let index = try SegmentIndex.load(entry.firstSeq, of: stream, in: storage)
                let cutoff = now.advanced(bySeconds: -age).milliseconds
                guard let until = index?.summary.until, until < cutoff else { break }
            } else {
                break
            }
            victims.append(entry)
            total -= entry.bytes
        }
        return (victims, reason)
    }

    /// Writes a record of the journal's own and waits until it is on disk.
    private func appendOwn(
        _ members: [JSONMember], to stream: JournalStream, _ now: Timestamp
    ) throws(JournalError) {
        let answer = Answer()
        let body = try RecordBody(own: members, now: now)
        try submit(PendingRecord(body: body, completion: { answer.give($0) }), to: stream)
        guard let result = answer.wait(.seconds(30)) else {
            throw JournalError(.timedOut, operation: "append", detail: stream.rawValue)
        }
        _ = try result.get()
    }
}
