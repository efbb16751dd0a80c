import LinuxSystem
import SandboxModel
import Testing

extension Integration {
    /// Who may do what, and the pages that everybody may see.
    @Suite(.serialized, .timeLimit(.minutes(5)))
    struct AccessTests {
        @Test("tokens have roles")
        func tokens() async throws {
            var secrets: [String: String] = [:]
            var file = "tokens:\n"
            for role in ["viewer", "operator", "admin"] {
                let made = try await TestHost.sandwarden("token", "new", "--name", "t-\(role)", "--role", role)
                let lines = made.stdoutText.split(separator: "\n")
                let secret = try #require(lines.first?.split(separator: " ").last)
                let line = try #require(lines.last)
                #expect(!line.contains(secret), "the file holds no secret")
                secrets[role] = String(secret)
                file += line.hasPrefix(" ") ? "\(line)\n" : "  \(line)\n"
            }
            let holder = try await TestFolder.make()
            try await holder.write(file, to: "tokens.yaml", mode: "600")
            try await TestDaemon.with(
                "oci", environment: ["SANDWARDEN_TOKENS_FILE": holder.path + "/tokens.yaml"]
            ) { daemon in
                func status(
                    _ role: String?, _ method: String, _ path: String, _ body: JSONValue? = nil
                ) async throws -> Int {
                    let header = role.map { ["Authorization: Bearer \(secrets[$0] ?? "wrong")"] } ?? []
                    return try await daemon.ask(method, path, body, headers: header).status
                }
                let anonymous = try await status(nil, "GET", "/sandboxes")
                #expect(anonymous == 401)
                #expect(try await status("stranger", "GET", "/sandboxes") == 401)
                #expect(try await status(nil, "GET", "/healthz") == 200)
                #expect(try await status("viewer", "GET", "/sandboxes") == 200)
                #expect(try await status("viewer", "POST", "/validate", ["policy": "strict", "command": "ls"]) == 200)
                #expect(try await status("viewer", "POST", "/sandboxes", ["policy": "strict"]) == 403)
                #expect(try await status("operator", "POST", "/policies", ["name": "own"]) == 403)
                #expect(try await status("operator", "POST", "/sandboxes", ["policy": "strict", "adopt": "x"]) == 403)
                #expect(try await status("admin", "POST", "/policies", ["name": "own"]) == 201)
                #expect(try await status("operator", "GET", "/policies/own") == 200)
                #expect(try await status("admin", "DELETE", "/policies/own") == 204)
            }
            try await holder.remove()
        }

        @Test("loopback may not adopt, a browser's page may not call, methods and types are checked")
        func refusals() async throws {
            try await TestDaemon.with("oci") { daemon in
                let adopt = try await daemon.ask("POST", "/sandboxes", ["policy": "strict", "adopt": "some"])
                #expect(adopt.status == 403)
                let foreign = try await daemon.ask("GET", "/sandboxes", headers: ["Origin: http://evil.example"])
                #expect(foreign.status == 403)
                let host = try await daemon.ask("GET", "/sandboxes", headers: ["Host: evil.example"])
                #expect(host.status == 403)
                let method = try await daemon.ask("PATCH", "/sandboxes")
                #expect(method.status == 405)
                #expect(method.headers["allow"]?.contains("POST") == true)
                let type = try await daemon.ask("POST", "/sandboxes", raw: "{}")
                #expect(type.status == 415)
                #expect(try await daemon.ask("GET", "/no-such-thing").status == 404)
                let broken = try await daemon.ask(
                    "POST", "/validate", raw: "{\"policy\": nope}", headers: ["Content-Type: application/json"])
                #expect(broken.status == 400 || broken.status == 415)
            }
        }

        @Test("the contract is served, and the metrics are clean")
        func pages() async throws {
            try await TestDaemon.with("oci") { daemon in
                let contract = try await daemon.ask("GET", "/openapi.yaml")
                #expect(contract.status == 200)
                #expect(contract.text == (try TestHost.text(TestHost.root + "/openapi.yaml")))
                let metrics = try await daemon.ask("GET", "/metrics")
                #expect(metrics.status == 200)
                #expect(metrics.text.contains("# TYPE sandwarden_violations_total counter"))
                guard ChildCommand.locate("promtool") != nil else {
                    print("SKIPPED promtool: it is not installed")
                    return
                }
                let check = try await TestHost.run("promtool", ["check", "metrics"], input: metrics.text)
                #expect(check.exit.isSuccess, "\(check.stdoutText)\(check.stderrText)")
            }
        }

        @Test("reports in JSON and Markdown, from the daemon and from the journal", Integration.needsRoot)
        func reports() async throws {
            try await TestDaemon.with("oci") { daemon in
                let sandbox = try await daemon.create("hog")
                #expect(try await sandbox.exec("rm x").status == 403)
                let report = try await daemon.ask("GET", "/reports/\(sandbox.id)")
                #expect(report["sandbox_id"].string == sandbox.id)
                #expect(report["total_violations"].integer == 1)
                #expect(report["violation_types"]["process_violation"]?.integer == 1)
                let page = try await daemon.ask("GET", "/reports/\(sandbox.id)?format=markdown")
                #expect(page.headers["content-type"]?.hasPrefix("text/markdown") == true)
                #expect(page.text.hasPrefix("# Sandbox \(sandbox.id)"))
                let accepted = try await daemon.ask(
                    "GET", "/reports/\(sandbox.id)", headers: ["Accept: text/markdown"])
                #expect(accepted.text.hasPrefix("# Sandbox \(sandbox.id)"))
                #expect(try await daemon.ask("GET", "/reports")["total_violations"].integer == 1)
                let offline = try await TestHost.sandwarden("report", "--data", daemon.data, "--sandbox", sandbox.id)
                #expect(TestDaemon.json(offline.stdout)["total_violations"]?.integer == 1, "\(offline.stderrText)")
                let audit = try await TestHost.sandwarden(
                    "journal", "query", "--data", daemon.data, "--stream", "audit", "--sandbox", sandbox.id, "--json")
                #expect(!audit.stdout.isEmpty)
                try await daemon.verifyJournal()
            }
        }

        @Test("without root the daemon starts, answers questions, and says what sandboxes need", Integration.needsRoot)
        func unprivileged() async throws {
            let folder = try await TestFolder.make()
            // The built program may stand where nobody else can look.
            let copy = try await TestHost.run("install", ["-m", "755", TestHost.binary, folder.path + "/sandwarden"])
            try #require(copy.exit.isSuccess, "\(copy.stderrText)")
            let made = try await TestHost.run(
                "install", ["-d", "-m", "700", "-o", "65534", "-g", "65534", folder.path + "/data"])
            try #require(made.exit.isSuccess)
            let drop = [
                try #require(ChildCommand.locate("setpriv")), "--reuid", "65534", "--regid", "65534", "--clear-groups",
                folder.path + "/sandwarden",
            ]
            let daemon = try await TestDaemon.start("oci", in: folder, program: drop)
            let verdict = try await daemon.ask("POST", "/validate", ["policy": "strict", "command": "rm x"])
            #expect(verdict.status == 200)
            #expect(verdict["decision"].string == "deny")
            let refused = try await daemon.ask("POST", "/sandboxes", ["policy": "strict", "runtime": "oci"])
            #expect([422, 503].contains(refused.status), "\(refused.status) \(refused.text)")
            #expect(refused["detail"].string?.contains("root") == true, "\(refused.text)")
            #expect(try await daemon.ask("GET", "/reports").status == 200)
            let doctor = try await TestHost.run(drop[0], Array(drop.dropFirst()) + ["doctor"])
            #expect(doctor.exit == .code(4))
            #expect(doctor.stdoutText.contains("MISSING"))
            #expect(await daemon.stop() == .code(0))
            try await folder.remove()
        }
    }
}
