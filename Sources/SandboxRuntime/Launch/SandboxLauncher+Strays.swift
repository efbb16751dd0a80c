internal import Glibc
internal import LinuxSystem
package import SandboxModel

extension SandboxLauncher {
    /// Removes what folders without a record stand for: launches that a crash cut short before they were
    /// written down.
    /// - Parameter known: Sandboxes that have a record; theirs is not touched.
    /// - Returns: A sentence for each that was found, for the audit.
    package func removeStrays(known: Set<SandboxID>, drivers: [any RuntimeDriver]) async -> [String] {
        let ids: [SandboxID]
        do throws(RuntimeError) {
            ids = try await folders()
        } catch {
            return ["the sandboxes' folder could not be read: \(error)"]
        }
        var report: [String] = []
        for id in ids where !known.contains(id) {
            let failure = await attempt { () async throws(RuntimeError) in
                try await removeStray(id, drivers)
            }
            let outcome = failure.map { "could not be removed: \($0)" } ?? "was removed"
            report.append("\(id) had no record and \(outcome)")
        }
        return report
    }

    /// Names below the sandboxes' folder that are sandboxes.
    private func folders() async throws(RuntimeError) -> [SandboxID] {
        let directory = sandboxesDirectory
        return try await HostWork.run("strays") { () throws(RuntimeError) in
            do throws(SystemError) {
                let listing = try Descriptor.openDirectory(RawPath(directory)).list(limit: 100_000)
                return listing.entries.compactMap { String(validating: $0.name, as: UTF8.self) }.sorted()
                    .compactMap(SandboxID.init(rawValue:))
            } catch {
                if error.errno == ENOENT { return [] }
                throw RuntimeError(error, operation: "strays")
            }
        }
    }

    private func removeStray(_ id: SandboxID, _ drivers: [any RuntimeDriver]) async throws(RuntimeError) {
        let path = "\(directory(id))/\(Self.kindFile)"
        let text = try await HostWork.run("strays") { () throws(RuntimeError) -> String? in
            do throws(SystemError) {
                return String(decoding: try HostFiles.read(RawPath(path), limit: 64), as: UTF8.self)
            } catch {
                // The first thing that is made in the folder: without it there is nothing else.
                if error.errno == ENOENT { return nil }
                throw RuntimeError(error, operation: "strays")
            }
        }
        if let text {
            guard let driver = drivers.first(where: { $0.kind.rawValue == text }) else {
                throw RuntimeError(
                    .unavailable, operation: "strays",
                    detail: "no driver for \(ForeignText.printable(text.utf8))")
            }
            try await teardown(SandboxRemains(id: id, engineID: nil, network: nil), with: driver)
        } else {
            try await removeFolder(id)
        }
    }
}
