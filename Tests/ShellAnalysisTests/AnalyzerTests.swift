import ShellAnalysis
import Testing

@Suite struct AnalyzerTests {
    private func analyze(_ text: String, _ dialect: ShellDialect = .bash) -> ScriptAnalysis {
        ShellAnalyzer().analyze(
            script: Array(text.utf8), context: ShellContext(dialect: dialect, workingDirectory: "/work", stdin: []))
    }

    @Test func namesComeWithTheirPlacesAndRoutes() throws {
        let found = analyze("echo a | xargs -I@ sh -c 'rm x'").commands
        #expect(found.map(\.name) == ["echo", "xargs", "sh", "rm"])
        let rm = try #require(found.last)
        #expect(rm.range == 26..<28)
        #expect(rm.via == ["xargs", "sh -c"])
        #expect(rm.words == ["rm", "x"])
        #expect(!rm.isBuiltin)
    }

    @Test func quotesAreRemovedAndUnknownWordsAreNil() throws {
        let first = try #require(analyze("/bin/r'm' -rf $dir \"a b\"").commands.first)
        #expect(first.name == "/bin/rm")
        #expect(first.baseName == "rm")
        #expect(first.words == ["/bin/rm", "-rf", nil, "a b"])
    }

    @Test func callsOfFunctionsAreMarked() {
        let found = analyze("f() { ls; }; f").commands
        #expect(found.map(\.name) == ["ls", "f"])
        #expect(found.map(\.isFunction) == [false, true])
    }

    @Test func aFunctionThatMayBeMissingIsNoFunction() {
        #expect(analyze("if x; then f() { ls; }; fi; f").commands.last?.isFunction == false)
    }

    @Test func filesOfRedirectionsAndOperands() {
        let files = analyze("cat a /etc/hosts > out 2>&1; cd sub; tee ../b < in").files
        #expect(files.map(\.path) == ["out", "a", "/etc/hosts", "sub", "in", "../b"])
        #expect(files.map(\.operation) == [.write, .read, .read, .unknown, .read, .write])
        #expect(files.last?.directory == "/work/sub")
    }

    @Test func interpretersAndSystemPaths() {
        #expect(analyze("python3 -c 'x'").interpreters.map(\.code) == [.argument])
        #expect(analyze("python3 a.py").interpreters.map(\.code) == [.file("a.py")])
        #expect(analyze("make all").interpreters.map(\.code) == [.project])
        #expect(analyze("./tool x").interpreters.map(\.code) == [.program])
        #expect(analyze("python3 --version").interpreters.isEmpty)
        #expect(analyze("awk '{print $2}' f").interpreters.isEmpty)
    }

    @Test func hazardsAreReportedOnceAProgramMeetsThem() {
        let alone = analyze("LD_PRELOAD=/tmp/x.so")
        #expect(alone.environmentHazards.map(\.variable) == ["LD_PRELOAD"])
        #expect(alone.undecidable.isEmpty)
        let met = analyze("export LD_PRELOAD=/tmp/x.so; ls")
        #expect(met.undecidable.map(\.reason) == [.poisonedContext("LD_PRELOAD")])
        #expect(analyze("PATH=/usr/bin:/bin ls").undecidable.isEmpty)
    }

    @Test func theEnvironmentOfTheContextCounts() {
        let context = ShellContext(dialect: .bash, environment: ["BASH_ENV": "/x", "CMD": "rm"], stdin: [])
        let analysis = ShellAnalyzer().analyze(script: Array("$CMD f".utf8), context: context)
        #expect(analysis.environmentHazards.map(\.variable) == ["BASH_ENV"])
        #expect(analysis.commands.map(\.name) == ["rm"])
        #expect(!analysis.undecidable.isEmpty)
    }

    @Test func argumentsAreNotReadByAShell() {
        let context = ShellContext(dialect: .bash, stdin: [])
        let plain = ShellAnalyzer().analyze(arguments: ["echo", "$(rm x); rm y"], context: context)
        #expect(plain.commands.map(\.name) == ["echo"])
        #expect(plain.undecidable.isEmpty)
        let shell = ShellAnalyzer().analyze(arguments: ["sh", "-c", "rm x"], context: context)
        #expect(shell.commands.map(\.name) == ["sh", "rm"])
        #expect(shell.commands.last?.range == 6..<8)
    }

    @Test func standardInputIsTheScriptOfAShell() {
        let analyzer = ShellAnalyzer()
        let known = ShellContext(dialect: .bash, stdin: Array("rm x".utf8))
        #expect(analyzer.analyze(arguments: ["bash"], context: known).commands.map(\.name) == ["bash", "rm"])
        let unknown = ShellContext(dialect: .bash)
        #expect(analyzer.analyze(arguments: ["bash"], context: unknown).undecidable.count == 1)
    }

    @Test(arguments: [
        "[[ a ]]", "((1))", "a=(1)", "cat <(ls)", "cat <<< x", "echo $'x'", "echo {a,b}", "ls &> f", "ls |& cat",
        "f+=x",
        "function f { ls; }", "select x in a; do ls; done", "echo ${x/a/b}", "echo ${x:1}", "for ((;;)); do ls; done",
        "time ls", "coproc ls",
    ])
    func beyondPOSIXIsUndecidable(_ text: String) {
        let reasons = analyze(text, .posix).undecidable.map(\.reason)
        let isNamed = reasons.contains { if case .beyondPOSIX = $0 { true } else { false } }
        #expect(isNamed, "\(reasons)")
        #expect(analyze(text, .bash).undecidable.isEmpty)
    }

    @Test func badTextsAreUndecidableWithAPlace() {
        #expect(
            analyze("ls; echo 'x").undecidable == [
                Undecidable(reason: .syntax("a single quote is not closed"), range: 9..<9)
            ])
        #expect(analyze("ls; echo 'x").commands.map(\.name) == ["ls"])
        let bytes = ShellAnalyzer().analyze(script: [0x6c, 0xff], context: ShellContext())
        #expect(bytes.undecidable.map(\.reason) == [.invalidText])
        #expect(analyze("ls\u{0}").undecidable.map(\.reason) == [.invalidText])
    }

    @Test func limitsAreNamed() {
        func reasons(_ text: String, _ limits: AnalysisLimits) -> [Undecidable.Reason] {
            ShellAnalyzer(limits: limits).analyze(script: Array(text.utf8), context: ShellContext(dialect: .bash))
                .undecidable.map(\.reason)
        }
        #expect(reasons("ls -l", AnalysisLimits(maxInputBytes: 4)) == [.limit("length")])
        #expect(reasons("ls;ls;ls", AnalysisLimits(maxCommands: 2)) == [.limit("commands")])
        #expect(reasons("ls a b c", AnalysisLimits(maxWords: 3)) == [.limit("words")])
        #expect(reasons("(ls; (ls; (ls; (ls))))", AnalysisLimits(maxDepth: 3)) == [.limit("nesting depth")])
        #expect(reasons("echo {1..2000}", .standard) == [.limit("words of a brace expansion")])
    }

    @Test func reasonsReadAsClauses() {
        #expect(Undecidable.Reason.dynamicCommand.description == "the program's name is made by an expansion")
        #expect(Undecidable.Reason.unknownOption("env").description == "an option of env is not known")
    }
}
