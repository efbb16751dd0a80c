import SandboxPolicy
import ShellAnalysis

/// Measures what happens inside one process: reading commands and judging them.
///
/// Standard input holds the commands, separated by zero bytes; a small list is used when it is empty. The only argument
/// is the corpus's name.
@main
struct Main {
    static func main() {
        let name = CommandLine.arguments.dropFirst().first ?? "standard input"
        let corpus = Corpus(name: name, separated: standardInput()) ?? .small
        let bytes = corpus.commands.map { Array($0.utf8) }
        let size = bytes.reduce(0) { $0 + $1.count }
        print(
            "corpus: \(corpus.name), \(bytes.count) commands, \(size / bytes.count) bytes on average, one thread"
        )

        let analyzer = ShellAnalyzer()
        let context = ShellContext(dialect: .posix)
        let analysis = Measurement("ShellAnalysis.analyze.\(bytes.count)") {
            for script in bytes { keep(analyzer.analyze(script: script, context: context)) }
            return bytes.count
        }
        print(analysis.line())

        for version in PolicyCatalog.builtIn.versions {
            let policy = CompiledPolicy(version)
            let checks = bytes.map { CommandCheck(.script($0)) }
            let commands = Measurement("SandboxPolicy.command.\(version.policy.name)") {
                for check in checks { keep(policy.evaluate(command: check)) }
                return checks.count
            }
            print(commands.line(beside: analysis))
        }

        let paths = [
            "/work/a.txt", "/work/../etc/shadow", "/work/deep/er/and/deeper/notes.md", "/proc/self/environ",
        ]
        let pathChecks = paths.map { PathCheck($0) }
        for version in PolicyCatalog.builtIn.versions.prefix(1) {
            let policy = CompiledPolicy(version)
            let measured = Measurement("SandboxPolicy.path.\(version.policy.name)") {
                for check in pathChecks { keep(policy.evaluate(path: check)) }
                return pathChecks.count
            }
            print(measured.line())
        }
    }

    /// Keeps a result from being optimised away.
    @inline(never)
    private static func keep<Value>(_ value: Value) {}

    private static func standardInput() -> [UInt8] {
        var bytes: [UInt8] = []
        while let line = readLine(strippingNewline: false) { bytes += Array(line.utf8) }
        return bytes
    }
}
