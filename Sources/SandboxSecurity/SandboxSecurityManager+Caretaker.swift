internal import Logging
internal import SandboxModel
internal import SandboxMonitor
internal import SandboxPolicy
internal import SandboxRuntime

// What goes on beside requests: expiry, the monitor's findings, the engine's events, the end of the daemon.

extension SandboxSecurityManager {
    /// Starts the tasks that last as long as the manager.
    package func startKeepers() {
        keepers.append(
            Task { [weak self] in
                while !Task.isCancelled {
                    do {
                        try await Task.sleep(for: .seconds(1))
                    } catch {
                        return
                    }
                    await self?.lookAround()
                }
            })
        let events = monitor.events
        keepers.append(
            Task { [weak self] in
                for await event in events { await self?.take(event) }
            })
        for (kind, driver) in drivers {
            keepers.append(
                Task { [weak self] in
                    for await event in driver.events() { await self?.take(event, from: kind) }
                })
        }
    }

    /// One round of expiry and clean-up.
    func lookAround() async {
        let time = now
        for record in allRecords {
            if record.state == .running || record.state == .paused {
                if let expiry = record.expiresAt, expiry <= time {
                    await endBestEffort(record.id, state: .terminated, cause: .ttlExpired)
                } else if let idle = record.idleTimeoutSeconds, runningExecs[record.id, default: 0] == 0,
                    record.lastUsedAt.advanced(bySeconds: Int64(idle)) <= time
                {
                    await endBestEffort(record.id, state: .terminated, cause: .idleExpired)
                }
            } else if !record.state.isAlive, !ending.contains(record.id) {
                if !record.isReleased { await release(record.id) }
                let ended = record.endedAt ?? record.createdAt
                if ended.advanced(bySeconds: Int64(configuration.deadSandboxSeconds)) <= time,
                    records[record.id]?.isReleased == true
                {
                    published.publish { $0.sandboxes[record.id] = nil }
                    await forget(record.id)
                }
            }
        }
        await stampAlive(time)
    }

    // When the daemon is killed, the next start tells from this since when nothing was watched.
    private func stampAlive(_ time: Timestamp) async {
        guard time.milliseconds / 1000 % 5 == 0 else { return }
        do throws(SecurityError) {
            try await folder.replaceLines(
                "alive", with: [.object([JSONMember("at", .string(time.description))])])
        } catch {
            logger.warning("the time of life could not be written", metadata: ["error": "\(error)"])
        }
    }

    private func take(_ event: MonitorEvent) async {
        switch event {
        case .sample(var sample):
            sample.violationsCount = records[sample.sandboxID]?.violations ?? 0
            evidence.sample(sample)
        case .began(let id, let finding, let time):
            await handle(finding, in: id, at: time)
        case .ended(let id, let cause, let time):
            await evidence.auditBestEffort(
                AuditRecord(
                    .episodeEnded, at: time, by: Principal.daemon.name, sandbox: id,
                    policy: records[id]?.policy.name,
                    details: [JSONMember("cause", .string(cause))]))
        case .holderExited(let id, _):
            await holderIsGone(id)
        case .gap(let id, let reason, let count):
            await evidence.auditBestEffort(
                AuditRecord(
                    .gap, at: now, by: Principal.daemon.name, sandbox: id,
                    details: [
                        JSONMember("reason", .string(reason)), JSONMember("count", .integer(Int64(count))),
                    ]))
        }
    }

    private func holderIsGone(_ id: SandboxID) async {
        guard let record = records[id], record.state.isAlive, !ending.contains(id) else { return }
        var cause = CauseOfDeath.engineLost
        var state = SandboxState.lost
        if let engineID = record.engineID, let driver = drivers[record.runtime] {
            do throws(RuntimeError) {
                if let found = try await driver.inspect(engineID),
                    case .exited(_, let wasOOMKilled) = found.state
                {
                    cause = wasOOMKilled ? .oomKilled : .exited
                    state = .stopped
                }
            } catch {
                logger.warning("the engine does not say how a sandbox ended", metadata: ["error": "\(error)"])
            }
        }
        await endBestEffort(id, state: state, cause: cause)
    }

    private func take(_ event: EngineEvent, from kind: RuntimeKind) async {
        guard let engineID = event.engineID else {
            await evidence.auditBestEffort(
                AuditRecord(
                    .gap, at: now, by: Principal.daemon.name,
                    details: [
                        JSONMember("reason", .string("the \(kind.rawValue) engine's events were interrupted"))
                    ]))
            return
        }
        guard let record = records.values.first(where: { $0.engineID == engineID && $0.state.isAlive }) else {
            return
        }
        switch event.kind {
        case .died, .removed: await holderIsGone(record.id)
        case .outOfMemory: await monitor.sampleNow(record.id)
        case .updated: await checkDrift(record.id)
        case .paused where record.state == .running && !ending.contains(record.id):
            await enter(.paused, record.id, by: .daemon, details: [JSONMember("reason", "by the engine")])
        case .resumed where record.state == .paused && !ending.contains(record.id):
            await enter(.running, record.id, by: .daemon, details: [JSONMember("reason", "by the engine")])
        case .paused, .resumed, .gap: break
        }
    }

    // Somebody changed the container behind our back: what holds is read again.
    private func checkDrift(_ id: SandboxID) async {
        do throws(SecurityError) {
            _ = try await attest(id)
        } catch {
            logger.warning(
                "a changed sandbox could not be read back",
                metadata: ["sandbox": "\(id)", "error": "\(error)"])
        }
    }

    // A mount can be busy for a moment after its last process: nobody else would take it away once this daemon is gone.
    private func releaseRemains() async {
        for _ in 0..<20 {
            let rest = records.values.filter { !$0.state.isAlive && !$0.isReleased }
            guard !rest.isEmpty else { return }
            for record in rest { await release(record.id) }
            do {
                try await Task.sleep(for: .milliseconds(250))
            } catch {
                return
            }
        }
    }

    /// Ends the manager: no new sandbox begins, and the living ones are ended, frozen or left as configured.
    public func shutdown() async {
        isDraining = true
        drain.set()
        for keeper in keepers { keeper.cancel() }
        keepers = []
        for record in allRecords where record.state == .running || record.state == .paused {
            switch configuration.shutdownAnswer {
            case .terminate where record.isAdopted: await letGo(record.id, by: .daemon)
            case .terminate:
                await endBestEffort(record.id, state: .terminated, cause: .shutdown)
            case .pause where record.state == .running:
                do throws(SecurityError) {
                    records[record.id]?.isPausedByShutdown = true
                    try await freeze(record.id, by: .daemon)
                } catch {
                    await endBestEffort(record.id, state: .terminated, cause: .shutdown)
                }
            case .pause, .keep: break
            }
        }
        await releaseRemains()
        for tasks in followers.values { for task in tasks { task.cancel() } }
        followers = [:]
        await monitor.stop()
        for driver in drivers.values { await driver.close() }
        await evidence.auditBestEffort(
            AuditRecord(
                .daemonStopped, at: now, by: Principal.daemon.name,
                details: [JSONMember("on_shutdown", .string(configuration.shutdownAnswer.rawValue))]))
        await evidence.close()
    }
}
