/// How an interpreter of another language is given code.
struct InterpreterRule {
    /// Short options behind which code stands.
    var code: String
    /// Short options that take a value of no interest.
    var valued: String
    /// Long options behind which code stands.
    var longCode: [String] = []

    static let table: [(String, InterpreterRule)] = [
        ("python pypy pythonw ipython jython bpython", InterpreterRule(code: "cm", valued: "WXQ")),
        ("perl perl5 perldoc cpanm", InterpreterRule(code: "eEM", valued: "I")),
        ("node nodejs deno", InterpreterRule(code: "epr", valued: "", longCode: ["--eval", "--print", "--require"])),
        ("ruby irb jruby", InterpreterRule(code: "er", valued: "IEK")),
        ("php php-cgi", InterpreterRule(code: "rBRE", valued: "dcz")),
        ("lua luajit texlua", InterpreterRule(code: "el", valued: "")),
        ("tclsh wish expect itclsh", InterpreterRule(code: "c", valued: "f")),
        ("java javac jshell kotlin scala groovy clojure", InterpreterRule(code: "e", valued: "")),
        ("R Rscript", InterpreterRule(code: "ef", valued: "")),
        ("guile scheme racket sbcl clisp ecl csi chicken", InterpreterRule(code: "cex", valued: "")),
        ("ghci runghc runhaskell ocaml swipl gprolog erl elixir iex", InterpreterRule(code: "eg", valued: "")),
        ("octave octave-cli julia gnuplot maxima gp sage", InterpreterRule(code: "eEx", valued: "")),
        ("osascript pwsh powershell csh tcsh fish xonsh nu elvish rc es", InterpreterRule(code: "ec", valued: "")),
        ("m4", InterpreterRule(code: "", valued: "DI")),
    ]
}

/// Programs whose words need code of their own to be understood.
enum SpecialProgram {
    case find, git, awk, sed, editor, parallel, flock, script, su, ssh, gdb, startStopDaemon, at, terminal, crontab

    static let table: [(String, SpecialProgram)] = [
        ("find gfind fd fdfind", .find),
        ("git", .git),
        ("awk gawk mawk nawk original-awk", .awk),
        ("sed gsed", .sed),
        ("vi vim nvim view vimdiff gvim emacs emacsclient nano", .editor),
        ("parallel sem", .parallel),
        ("flock", .flock),
        ("script", .script),
        ("su runuser", .su),
        ("ssh rsh remsh mosh slogin autossh sshpass", .ssh),
        ("gdb lldb", .gdb),
        ("start-stop-daemon", .startStopDaemon),
        ("at batch", .at),
        ("crontab", .crontab),
        ("tmux screen xterm gnome-terminal konsole urxvt", .terminal),
    ]
}

/// Builtins of the shell that change state or run something.
enum Builtin {
    /// Does nothing that matters here.
    case harmless
    case changeFolder, evaluate, source, trap, exec, command, builtin, alias, declare, read, printf, echo, test
    case letArithmetic, unset, hash, enable, set, directories, jobs, completion, history, mapfile, wait, shopt, getopts

    /// Whether it may read standard input, or run what does.
    var reads: Bool {
        switch self {
        case .harmless, .changeFolder, .directories, .echo, .printf, .test, .letArithmetic, .unset, .set, .shopt,
            .declare,
            .alias, .hash, .trap, .wait, .getopts, .exec:
            false
        default: true
        }
    }

    static let table: [(String, Builtin)] = [
        (
            """
            : true false break continue return exit shift times type ulimit umask bg fg disown suspend kill pwd \
            logout caller help unalias
            """, .harmless
        ),
        ("cd", .changeFolder), ("pushd popd dirs", .directories),
        ("eval", .evaluate), (". source", .source), ("trap", .trap), ("exec", .exec), ("command", .command),
        ("builtin", .builtin), ("alias", .alias), ("declare typeset local export readonly", .declare),
        ("read", .read), ("mapfile readarray", .mapfile), ("printf", .printf), ("echo", .echo),
        ("test [", .test), ("let", .letArithmetic), ("unset", .unset), ("hash", .hash), ("enable", .enable),
        ("set", .set), ("jobs", .jobs), ("complete compgen compopt bind", .completion), ("fc history", .history),
        ("wait", .wait), ("shopt", .shopt), ("getopts", .getopts),
    ]
}
