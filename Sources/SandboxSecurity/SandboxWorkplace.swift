internal import Glibc
internal import LinuxSystem
internal import SandboxModel
package import SandboxNetwork
internal import SandboxPolicy
package import SandboxRuntime

/// Where sandboxes are made and used: the launcher with the users and the files calls beside it.
package struct SandboxWorkplace: Sendable {
    package let launcher: SandboxLauncher
    package let users: UserAllocator
    package let files: SandboxFiles

    /// A workplace below the data folder.
    package init(configuration: SecurityConfiguration, instanceID: String, network: NetworkController) {
        launcher = SandboxLauncher(
            sandboxesDirectory: "\(configuration.dataDirectory)/sandboxes", instanceID: instanceID,
            network: network)
        let range = configuration.uidRange
        users = UserAllocator(range: range.lowerBound..<range.upperBound + 1)
        files = SandboxFiles()
    }

    func launch(
        _ order: LaunchOrder, with driver: any RuntimeDriver
    ) async throws(RuntimeError) -> LaunchedSandbox {
        try await launcher.launch(order, with: driver)
    }

    /// The host's folder of a sandbox's workspace.
    func workspacePath(_ id: SandboxID) -> String { launcher.workspacePath(id) }

    /// The process that has a pid now; `nil` when there is none.
    func process(_ pid: Int32) -> HolderProcess? {
        do throws(SystemError) {
            return HolderProcess(pid: pid, startTicks: try ProcessDirectory(pid: pid).stat().startTicks)
        } catch {
            return nil
        }
    }

    /// Whether the very process still runs.
    func isRunning(_ holder: HolderProcess) -> Bool { process(holder.pid) == holder }

    /// Whose a process is.
    func user(of holder: HolderProcess) -> SandboxUser {
        do throws(SystemError) {
            let status = try ProcessDirectory(pid: holder.pid).status()
            return SandboxUser(uid: status.uids.effective, gid: status.gids.effective)
        } catch {
            // Nobody's identity: what cannot be known must not be root's.
            return SandboxUser(uid: 65_534, gid: 65_534)
        }
    }

    /// The host's control groups, for people.
    var controlGroupText: String {
        do throws(SystemError) {
            let layout = try CgroupLayout.detect()
            let controllers = layout.legacy.keys.filter { !$0.hasPrefix("name=") }.sorted()
            switch layout.kind {
            case .unified: return "version 2"
            case .hybrid:
                return "hybrid: version 1 (\(controllers.joined(separator: ", "))) with version 2 beside it"
            case .legacy: return "version 1 (\(controllers.joined(separator: ", ")))"
            case .none: return "none mounted"
            }
        } catch {
            return "cannot be read: \(error)"
        }
    }
}

extension SandboxRecord {
    /// What the launcher needs to know.
    var launchOrder: LaunchOrder {
        LaunchOrder(
            id: id, policy: policy, policyVersion: policyVersion, image: image, user: user, labels: labels,
            isMonitored: isMonitored)
    }

    /// What it may have left on the host.
    var remains: SandboxRemains { SandboxRemains(id: id, engineID: engineID, network: network) }

    /// The network that a policy asks for.
    func attachment(under policy: Policy, holderPID: Int32) -> NetworkAttachment {
        NetworkAttachment(
            sandboxID: id, policyName: policy.name, networkPolicy: policy.networkPolicy,
            rules: policy.network,
            maxConnections: policy.resourceLimits.maxNetworkConnections, holderPID: holderPID)
    }

    /// The policy for reports.
    var policySummary: JSONValue { policy.json }
}
