internal import Journal
internal import LinuxSystem
public import Logging
package import Metrics
internal import SandboxModel
internal import SandboxMonitor
internal import SandboxNetwork
internal import SandboxPolicy
internal import SandboxRuntime

// How a manager is put together.

extension SandboxSecurityManager {
    /// Opens a data folder, takes up what an earlier run left, and begins to watch.
    ///
    /// Works without root and without any engine: policies, checks and reports are served then, and creating a sandbox
    /// says what is missing.
    /// - Throws: ``SecurityError`` `unavailable` when the folder cannot be used or another daemon has it; `invalid`
    ///   with every fault of the policy files.
    public static func start(
        _ configuration: SecurityConfiguration, logger: Logger
    ) async throws(SecurityError) -> (manager: SandboxSecurityManager, recovery: RecoveryOutcome) {
        try await start(configuration, logger: logger, registry: MetricsRegistry())
    }

    /// Starts with metrics of one's own.
    package static func start(
        _ configuration: SecurityConfiguration, logger: Logger, registry: MetricsRegistry
    ) async throws(SecurityError) -> (manager: SandboxSecurityManager, recovery: RecoveryOutcome) {
        let folder = StateFolder(path: configuration.dataDirectory)
        let instanceID = try await folder.open()
        let (writer, journalReport) = try openJournal(configuration, registry, logger)
        let evidence = EvidenceLog(writer: writer, logger: logger)
        do throws(SecurityError) {
            let parts = try await assemble(configuration, folder, evidence, instanceID, logger, registry)
            let manager = SandboxSecurityManager(configuration: configuration, parts: parts)
            let recovery = try await manager.begin(journalReport, instanceID: instanceID)
            return (manager, recovery)
        } catch {
            await evidence.close()
            throw error
        }
    }

    private static func openJournal(
        _ configuration: SecurityConfiguration, _ registry: MetricsRegistry, _ logger: Logger
    ) throws(SecurityError) -> (JournalWriter, RecoveryReport) {
        do throws(JournalError) {
            var journal = JournalConfiguration(
                origin: JournalOrigin.ofThisHost(),
                clock: { Timestamp(milliseconds: WallClock.nowMilliseconds()) })
            journal.segmentBytes = Int64(configuration.journalSegmentBytes)
            let retention = JournalConfiguration.Retention(
                maximumAgeSeconds: Int64(configuration.journalRetentionDays) * 86_400,
                maximumBytes: Int64(configuration.journalRetentionBytes))
            for stream in JournalStream.allCases { journal.retention[stream] = retention }
            journal.onHealthChange = { health in
                switch health {
                case .ok: logger.notice("the journal takes records again")
                case .failing(_, let reason, _):
                    logger.critical("the journal does not take records", metadata: ["reason": "\(reason)"])
                }
            }
            return try JournalWriter.open(
                dataDirectory: configuration.dataDirectory, journal, metrics: registry)
        } catch {
            throw SecurityError(
                .unavailable, "the journal in \(configuration.dataDirectory) cannot be opened: \(error)")
        }
    }

    private static func assemble(
        _ configuration: SecurityConfiguration, _ folder: StateFolder, _ evidence: EvidenceLog,
        _ instanceID: String,
        _ logger: Logger, _ registry: MetricsRegistry
    ) async throws(SecurityError) -> Parts {
        let stored = try await folder.lines("policies.jsonl")
        let shelf: PolicyShelf
        do throws(PolicyFaults) {
            shelf = try PolicyShelf(directory: configuration.policyDirectory, stored: stored)
        } catch {
            throw SecurityError(.invalid, error.description, faults: error.faults.map(\.fault))
        }
        var networks = NetworkConfiguration()
        if !configuration.resolvers.isEmpty { networks.resolvers = configuration.resolvers }
        networks.subnetPool = configuration.subnetPool
        networks.openablePrivate = configuration.openablePrivateCIDRs
        let network: NetworkController
        do throws(NetworkError) {
            network = try NetworkController(
                configuration: networks, instanceID: instanceID, logger: logger, metrics: registry)
        } catch {
            throw SecurityError(.invalid, "the network settings cannot be used: \(error)")
        }
        let workplace = SandboxWorkplace(
            configuration: configuration, instanceID: instanceID, network: network)
        return Parts(
            folder: folder, evidence: evidence, idempotency: IdempotencyStore(folder: folder),
            metrics: SecurityMetrics(registry: registry), drivers: drivers(configuration, instanceID, logger),
            network: network, monitor: HostMonitor(metrics: registry, logger: logger), workplace: workplace,
            shelf: shelf, logger: logger)
    }

    static func drivers(
        _ configuration: SecurityConfiguration, _ instanceID: String, _ logger: Logger
    ) -> [RuntimeKind: any RuntimeDriver] {
        let data = configuration.dataDirectory
        let oci = OCIDriver(
            configuration: OCIDriverConfiguration(
                program: configuration.ociProgram, stateDirectory: "\(data)/state/oci",
                sandboxesDirectory: "\(data)/sandboxes",
                imagesDirectory: configuration.imageDirectory ?? "\(data)/images", instanceID: instanceID))
        var drivers: [RuntimeKind: any RuntimeDriver] = [.oci: oci]
        do throws(RuntimeError) {
            let socket = try DockerSocket.resolve(
                configured: configuration.dockerSocket, dockerHost: configuration.dockerHost,
                exists: { HostCheckup.exists($0) })
            drivers[.docker] = try DockerDriver(
                settings: DockerSettings(
                    socketPath: socket, defaultImage: configuration.dockerDefaultImage, instanceID: instanceID
                ),
                logger: logger)
        } catch {
            logger.info("no Docker engine is used", metadata: ["reason": "\(error)"])
        }
        return drivers
    }

    private func begin(
        _ journal: RecoveryReport, instanceID: String
    ) async throws(SecurityError) -> RecoveryOutcome {
        publishPolicies()
        try await evidence.audit(
            AuditRecord(
                .daemonStarted, at: now, by: Principal.daemon.name,
                details: [
                    JSONMember("instance_id", .string(instanceID)),
                    JSONMember("journal", .object(journal.members)),
                ]))
        let lastSeen = try await folder.lines("alive").last?["at"]?.string.flatMap(Timestamp.init(rfc3339:))
        let outcome = try await recover(lastSeen: lastSeen)
        let known = Set(records.keys.map(\.rawValue))
        try await idempotency.load(at: now) { resource in
            known.contains(resource) || resource.hasPrefix("policy:")
        }
        startKeepers()
        return outcome
    }
}
