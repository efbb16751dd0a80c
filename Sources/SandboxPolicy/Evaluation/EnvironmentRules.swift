/// Variables that change which programs run, or what they are, and so are refused from clients.
enum EnvironmentRules {
    /// Why a variable is refused.
    enum Kind: Sendable, Hashable {
        /// The loader takes code from it before a program begins.
        case loader
        /// A shell takes code or settings from it.
        case shell
        /// It says where names of programs are looked up.
        case search
        /// git takes programs or settings from it.
        case git
        /// A tool takes options from it that can start programs.
        case tool
        /// An interpreter takes code or options from it.
        case interpreter
        /// A program takes the name of another one from it, which is checked like a command.
        case command

        /// One clause for people.
        var detail: String {
            switch self {
            case .loader: "the loader takes code from it before a program begins"
            case .shell: "shells take code or settings from it"
            case .search: "it decides which program a name means"
            case .git: "git takes programs or settings from it"
            case .tool: "a tool takes options from it that can start programs"
            case .interpreter: "an interpreter takes code or options from it"
            case .command: "a program takes the command to run from it"
            }
        }
    }

    /// What a variable can do; `nil` when it decides nothing about what runs.
    static func kind(of name: String) -> Kind? {
        if let kind = names[name] { return kind }
        for (prefix, kind) in prefixes where name.hasPrefix(prefix) { return kind }
        return nil
    }

    private static let prefixes: [(String, Kind)] = [
        ("LD_", .loader), ("DYLD_", .loader), ("GIT_", .git), ("BASH_FUNC_", .shell),
    ]

    private static let names: [String: Kind] = {
        var table: [String: Kind] = [:]
        func add(_ kind: Kind, _ names: String...) {
            for name in names { table[name] = kind }
        }
        add(.loader, "GCONV_PATH", "GLIBC_TUNABLES", "LOCPATH", "NLSPATH", "MALLOC_TRACE", "OPENSSL_CONF")
        add(.search, "PATH", "EXECIGNORE", "CDPATH", "FPATH")
        add(
            .shell, "BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "BASH_LOADABLES_PATH", "BASH_XTRACEFD",
            "BASH_COMPAT",
            "IFS", "PS0", "PS1", "PS2", "PS4", "PROMPT_COMMAND", "GLOBIGNORE", "INPUTRC", "ZDOTDIR",
            "MAILPATH")
        add(
            .tool, "LESSOPEN", "LESSCLOSE", "TAR_OPTIONS", "MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS", "MAKEFILES",
            "ZIPOPT",
            "GREP_OPTIONS", "AWKPATH", "AWKLIBPATH", "MANOPT", "GOFLAGS", "VIMINIT", "EXINIT", "GVIMINIT",
            "GTK_MODULES",
            "QT_PLUGIN_PATH", "npm_config_script_shell", "NPM_CONFIG_SCRIPT_SHELL", "RSYNC_CONNECT_PROG")
        add(
            .interpreter, "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT",
            "PYTHONWARNINGS", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PERL5OPT", "PERL5LIB", "PERLLIB",
            "PERL5DB", "PERLIO",
            "RUBYOPT", "RUBYLIB", "GEM_PATH", "GEM_HOME", "BUNDLE_GEMFILE", "NODE_OPTIONS", "NODE_PATH",
            "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "LUA_INIT", "LUA_PATH",
            "LUA_CPATH",
            "PHPRC", "PHP_INI_SCAN_DIR", "R_PROFILE", "R_PROFILE_USER", "R_ENVIRON", "JULIA_LOAD_PATH",
            "TCLLIBPATH",
            "DOTNET_STARTUP_HOOKS", "ERL_FLAGS", "ERL_AFLAGS", "GUILE_LOAD_PATH")
        add(
            .command, "PAGER", "MANPAGER", "SYSTEMD_PAGER", "BAT_PAGER", "EDITOR", "VISUAL", "FCEDIT",
            "SUDO_EDITOR",
            "SYSTEMD_EDITOR", "KUBE_EDITOR", "BROWSER", "SUDO_ASKPASS", "SSH_ASKPASS", "SHELL", "RSYNC_RSH",
            "CVS_RSH",
            "SVN_SSH", "HG_SSH", "MAKE", "CC", "CXX", "LEX", "YACC", "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "FZF_DEFAULT_COMMAND")
        return table
    }()
}
