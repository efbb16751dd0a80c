import ArgumentParser
import SandboxModel
import SandboxPolicy

/// `sandwarden policy`: files of policies.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Checks and shows policies.", subcommands: [Check.self, Show.self])

    /// `sandwarden policy check`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Names every fault of policy files, as file:line:column.",
            discussion:
                "Files that extend each other are given together. Exit status 2 if there is any fault.")

        @Argument(help: "Policy files, YAML or JSON.")
        var files: [String]

        func run() throws {
            var entries: [PolicyCatalog.Entry] = []
            var faults: [PolicyFault] = []
            for file in files {
                do throws(PolicyFaults) {
                    entries.append(
                        PolicyCatalog.Entry(
                            document: try PolicyDocument.load(file: file), origin: .file(path: file)))
                } catch {
                    faults += error.faults
                }
            }
            var warnings: [PolicyFault] = []
            if faults.isEmpty {
                do throws(PolicyFaults) {
                    warnings = try PolicyCatalog(entries: entries).warnings
                } catch {
                    faults += error.faults
                }
            }
            for warning in warnings { Console.error("\(warning) (warning)") }
            guard faults.isEmpty else {
                throw CommandFailure(.badInput, faults.map(\.description).joined(separator: "\n"))
            }
            Console.print("\(files.count) \(files.count == 1 ? "policy" : "policies") checked, no fault")
        }
    }

    /// `sandwarden policy show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a policy with every field, as JSON.")

        @Argument(help: "A policy file, or the name of a built-in policy.")
        var name: String

        func run() throws {
            Console.print(PrettyJSON.text(try PolicySource.compiled(name).policy.json))
        }
    }
}

/// JSON for people: two spaces, short lists on one line.
enum PrettyJSON {
    static func text(_ value: JSONValue, indent: Int = 0) -> String {
        let inner = String(repeating: " ", count: indent + 2)
        let outer = String(repeating: " ", count: indent)
        switch value {
        case .object(let members) where !members.isEmpty:
            let lines = members.map {
                "\(inner)\(JSONValue.string($0.key).text): \(text($0.value, indent: indent + 2))"
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        case .array(let values) where value.text.utf8.count > 88:
            let lines = values.map { inner + text($0, indent: indent + 2) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(outer)]"
        default: return value.text
        }
    }
}
