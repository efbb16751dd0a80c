import Glibc
import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxRuntime

/// What a program in a sandbox finds when it tries; the filter, small limits, images.
@Suite(.timeLimit(.minutes(3)), .enabled(if: OCIHost.canRun, Comment(rawValue: OCIHost.missing)))
struct OCIContainmentTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test(.enabled(if: ChildCommand.locate("perl") != nil && !isArm, "needs perl on x86-64"))
    func theFilterAnswers() async throws {
        try await OCIBase.withSandbox { sandbox in
            // Numbers of x86-64. The last two carry what the kernel does not look at in the upper half.
            let result = try await sandbox.sh(
                #"""
                perl -e '
                  sub t { my ($name, $call, @a) = @_; $! = 0; my $r = syscall($call, @a); print "$name ", $r < 0 ? $!+0 : "ok", "\n" }
                  t("getpid", 39);
                  t("unshare", 272, 0x10000000);
                  t("mount", 165, 0, 0, 0, 0, 0);
                  t("keyctl", 250, 0, 0, 0);
                  t("io_uring", 425, 1, 0);
                  t("bpf", 321, 0, 0, 0);
                  t("clone3", 435, 0, 0);
                  t("clone", 56, 0x10000000, 0, 0, 0, 0);
                  t("userfaultfd", 323, 0);
                  t("unix", 41, 1, 1, 0);
                  t("inet", 41, 2, 1, 0);
                  t("vsock", 41, 40, 1, 0);
                  t("alg", 41, 38, 5, 0);
                  t("vsock, high", 41, 40 + (1 << 32), 1, 0);
                  t("personality", 135, 0x0040000);
                '
                """#)
            #expect(
                text(result.stdout) == """
                    getpid ok
                    unshare 1
                    mount 1
                    keyctl 1
                    io_uring 1
                    bpf 1
                    clone3 38
                    clone 1
                    userfaultfd 1
                    unix ok
                    inet ok
                    vsock 1
                    alg 1
                    vsock, high 1
                    personality 1

                    """)
        }
    }

    private static var isArm: Bool {
        #if arch(arm64)
            true
        #else
            false
        #endif
    }

    @Test func theSmallestPolicyStillRunsPrograms() async throws {
        try await OCIBase.withSandbox { policy in
            policy.resourceLimits.memoryMB = 32
            policy.resourceLimits.cpuPercent = 25
            policy.resourceLimits.diskMB = 1
            policy.resourceLimits.maxProcesses = 10
            policy.resourceLimits.maxOpenFiles = 32
        } _: { sandbox in
            for round in 0..<3 {
                let result = try await sandbox.sh("echo \(round) | cat")
                #expect(text(result.stdout) == "\(round)\n")
            }
        }
    }

    @Test func grantedCapabilitiesAreHeldAndNoOthers() async throws {
        try await OCIBase.withSandbox { policy in
            policy.privileges.capabilities = ["CAP_NET_BIND_SERVICE"]
        } _: { sandbox in
            let result = try await sandbox.sh("cat /proc/self/status")
            let status = try #require(ProcessStatus.parse(result.stdout[...]))
            let sets = try #require(status.capabilities)
            #expect(sets.bounding == 1 << 10 && sets.effective == 1 << 10 && sets.permitted == 1 << 10)
        }
    }

    @Test func theNetworkIsLoopbackAlone() async throws {
        try await OCIBase.withSandbox { sandbox in
            let result = try await sandbox.sh(
                "ls /sys/class/net; cat /etc/resolv.conf; cat /proc/net/route | wc -l")
            #expect(text(result.stdout) == "lo\n1\n")
        }
    }

    @Test(.enabled(if: ChildCommand.locate("busybox") != nil, "needs a static busybox"))
    func anImageIsTheRootAndStaysAsItWas() async throws {
        try await OCIBase.with { base in
            let path = "\(base.path)/images/tiny"
            let image = try HostFolder(making: path, mode: 0o755)
            for name in ["bin", "etc", "srv"] { try image.makeFolders(name) }
            let busybox = try HostFiles.read(
                RawPath(try #require(ChildCommand.locate("busybox"))), limit: 16 << 20)
            try image.write("bin/busybox", busybox, mode: 0o4755)
            for name in ["sh", "cat", "ls", "id", "touch"] { try image.link("bin/\(name)", to: "busybox") }
            try image.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n")
            try image.write("srv/data", "data\n")
            #expect(try await base.driver.hasImage("tiny"))
            #expect(try await !base.driver.hasImage("none"))
            #expect(try await !base.driver.hasImage("../images/tiny"))
            let sandbox = try await OCISandbox.start(in: base, image: "tiny") {
                $0.workspace = "/srv/work/deep"
            }
            let result = try await sandbox.sh(
                """
                cat /srv/data; id -un; ls /; touch f && echo ours
                for f in /x /etc/x /srv/x /srv/data; do touch $f 2>/dev/null && echo "wrote $f"; done
                ls /usr 2>/dev/null
                """)
            #expect(
                text(result.stdout)
                    == "data\nsandbox\nbin\ndev\netc\nproc\nrun\nsrv\nsys\ntmp\nours\n")
            let mounts = try MountTable.read(pid: sandbox.holder.pid)
            let root = try #require(mounts.first { $0.point == "/" })
            #expect(root.type == "overlay" && root.isReadOnly)
            try await sandbox.remove()
            #expect(try HostTraces(of: base).isEmpty)
            let left = try Descriptor.openDirectory(RawPath(path)).list(limit: 99).entries
            #expect(Set(left.map { String(decoding: $0.name, as: UTF8.self) }) == ["bin", "etc", "srv"])
        }
    }

    @Test func anImageWithoutTheShellIsRefused() async throws {
        try await OCIBase.with { base in
            let image = try HostFolder(making: "\(base.path)/images/bare", mode: 0o755)
            try image.makeFolders("bin")
            // A link that leads out of the image finds nothing there.
            try image.link("bin/sh", to: "/../../../../usr/bin/dash")
            for (name, code) in [("bare", RuntimeError.Code.invalid), ("none", .notFound)] {
                let failure = await #expect(throws: RuntimeError.self) {
                    _ = try await OCISandbox.start(in: base, image: name)
                }
                #expect(failure?.code == code)
            }
        }
    }
}
