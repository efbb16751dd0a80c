internal import LinuxSystem
internal import Logging
internal import Metrics
internal import SandboxModel
internal import SandboxNetwork
internal import SandboxRuntime

/// What `sandwarden doctor` looks at. Changes nothing on the host.
public enum HostCheckup {
    /// One thing that the host offers, or does not.
    public struct Finding: Sendable, Hashable {
        /// What was looked at.
        public var subject: String
        /// Whether it is there and works.
        public var isFine: Bool
        /// Whether sandboxes cannot be made without it.
        public var isNeeded: Bool
        /// What was found, or what its absence costs and how to get it.
        public var detail: String
    }

    /// Looks at everything.
    public static func run(_ configuration: SecurityConfiguration) async -> [Finding] {
        var findings = [rights(), controlGroups()]
        findings += programs()
        findings.append(loopDevices())
        let instance = "doctor000000"
        let drivers = SandboxSecurityManager.drivers(configuration, instance, Logger(label: "doctor"))
        var runtimes: [Finding] = []
        for kind in RuntimeKind.allCases {
            guard let driver = drivers[kind] else { continue }
            let probe = await driver.probe()
            runtimes.append(
                Finding(
                    subject: "runtime \(kind.rawValue)", isFine: probe.isAvailable, isNeeded: false,
                    detail: probe.detail))
        }
        // One runtime is enough.
        let hasRuntime = runtimes.contains(where: \.isFine)
        findings += runtimes.map {
            Finding(subject: $0.subject, isFine: $0.isFine, isNeeded: !hasRuntime, detail: $0.detail)
        }
        return findings + (await networks(configuration, instance))
    }

    private static func rights() -> Finding {
        let isRoot = HostFacts.effectiveUser == 0
        return Finding(
            subject: "root", isFine: isRoot, isNeeded: true,
            detail: isRoot
                ? "yes"
                : "no: mounts, namespaces and control groups need it; run the daemon as root. Policies, checks and reports "
                    + "work without.")
    }

    private static func controlGroups() -> Finding {
        do throws(SystemError) {
            let layout = try CgroupLayout.detect()
            let missing = ["memory", "cpu", "pids"].filter {
                layout.legacy[$0] == nil && layout.unified == nil
            }
            let kill =
                layout.unified != nil
                ? "whole groups are killed at once (cgroup.kill)" : "groups are frozen, then killed"
            return Finding(
                subject: "control groups", isFine: missing.isEmpty && layout.kind != .none, isNeeded: true,
                detail: missing.isEmpty
                    ? "\(layout.kind.rawValue); \(kill)" : "missing: \(missing.joined(separator: ", "))")
        } catch {
            return Finding(subject: "control groups", isFine: false, isNeeded: true, detail: "\(error)")
        }
    }

    private static func programs() -> [Finding] {
        let wanted = [
            ("mke2fs", "e2fsprogs", "no workspace can be made", true),
            ("nsenter", "util-linux", "only network none can be offered", false),
            ("ip", "iproute2", "only network none can be offered", false),
            ("nft", "nftables", "only network none can be offered", false),
        ]
        return wanted.map { program, package, cost, isNeeded in
            let path = ChildCommand.locate(program)
            return Finding(
                subject: program, isFine: path != nil, isNeeded: isNeeded,
                detail: path ?? "not there: \(cost); apt-get install \(package)")
        }
    }

    /// Whether something is at a path of the host.
    static func exists(_ path: String) -> Bool {
        do throws(SystemError) {
            _ = try HostFiles.status(RawPath(path))
            return true
        } catch {
            return false
        }
    }

    private static func loopDevices() -> Finding {
        do throws(SystemError) {
            _ = try HostFiles.status("/dev/loop-control")
            return Finding(subject: "loop devices", isFine: true, isNeeded: true, detail: "/dev/loop-control")
        } catch {
            return Finding(
                subject: "loop devices", isFine: false, isNeeded: true,
                detail: "no /dev/loop-control: no workspace can be mounted; modprobe loop")
        }
    }

    private static func networks(
        _ configuration: SecurityConfiguration, _ instance: String
    ) async -> [Finding] {
        var settings = NetworkConfiguration()
        if !configuration.resolvers.isEmpty { settings.resolvers = configuration.resolvers }
        settings.subnetPool = configuration.subnetPool
        do throws(NetworkError) {
            let controller = try NetworkController(
                configuration: settings, instanceID: instance, logger: Logger(label: "doctor"),
                metrics: MetricsRegistry())
            let facts = await controller.probe()
            return facts.sorted { $0.key < $1.key }.map {
                Finding(
                    subject: "network \($0.key)", isFine: $0.value.isAvailable, isNeeded: false,
                    detail: $0.value.detail)
            }
        } catch {
            return [Finding(subject: "network", isFine: false, isNeeded: false, detail: "\(error)")]
        }
    }
}
