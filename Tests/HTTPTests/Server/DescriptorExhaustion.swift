import Glibc
import LinuxSystem
import Testing

@testable import HTTP

/// Runs a server out of descriptors; in a process of its own, since the limit is the process's.
func exhaustDescriptors() async throws {
    try await withServer(.echo) { server in
        let first = try await RawClient.connect(server.addresses[0])
        guard try await first.exchange(simpleGet).status == 200 else { exit(2) }
        var hoard: [SharedDescriptor] = []
        var limit = rlimit()
        // SAFETY: both calls read or write the one structure.
        guard unsafe getrlimit(__rlimit_resource_t(7), &limit) == 0 else { exit(3) }
        limit.rlim_cur = 64
        guard unsafe setrlimit(__rlimit_resource_t(7), &limit) == 0 else { exit(4) }
        // Connections wait in the kernel's queue: their client ends take the last descriptors.
        var clients: [RawClient] = []
        while clients.count < 5 { clients.append(try await RawClient.connect(server.addresses[0])) }
        while true {
            do throws(SystemError) {
                hoard.append(SharedDescriptor(try first.socket.descriptor.duplicate()))
            } catch {
                break
            }
        }
        // The server cannot accept; it hangs up on whoever waits, or leaves them waiting, and serves the
        // first.
        for _ in 0..<50 {
            guard try await first.exchange(simpleGet).status == 200 else { exit(5) }
        }
        hoard = []
        clients = []
        guard try await exchange(server, simpleGet).status == 200 else { exit(6) }
    }
    exit(0)
}
