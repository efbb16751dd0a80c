/// Variables that change what programs do.
enum Hazards {
    /// How a variable changes it.
    enum Effect {
        /// Loads code into every program, or changes which program a name means.
        case loader
        /// Its value is a command that programs run.
        case command
        /// Its value is a file or an option through which programs run or load something.
        case configuration
    }

    /// The effect of a variable, or `nil` for one that has none.
    static func effect(of name: String) -> Effect? {
        if name.hasPrefix("LD_") || name.hasPrefix("DYLD_") || name.hasPrefix("BASH_FUNC_") { return .loader }
        if name.hasPrefix("GIT_CONFIG") { return .configuration }
        switch name {
        case "PATH", "BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "BASH_CMDS", "BASH_ALIASES", "EXECIGNORE",
            "BASH_LOADABLES_PATH", "GCONV_PATH", "GLIBC_TUNABLES":
            return .loader
        case "PAGER", "MANPAGER", "GIT_PAGER", "EDITOR", "VISUAL", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR",
            "GIT_SSH_COMMAND", "GIT_SSH", "GIT_ASKPASS", "SSH_ASKPASS", "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND",
            "PROMPT_COMMAND", "BROWSER", "LESSOPEN", "LESSCLOSE", "RSYNC_RSH", "CVS_RSH", "SVN_SSH", "SUDO_ASKPASS",
            "FCEDIT", "SYSTEMD_PAGER", "BAT_PAGER", "MANROFFOPT", "TAR_OPTIONS", "RSYNC_CONNECT_PROG",
            "PS0", "PS1", "PS2", "PS4", "HG_SSH", "SUDO_EDITOR", "SYSTEMD_EDITOR", "KUBE_EDITOR", "MAKE", "SHELL",
            "GIT_ALTERNATE_PAGER", "WATCH_COMMAND":
            return .command
        case "PERL5OPT", "PERL5LIB", "PERLLIB", "PERL5DB", "PYTHONSTARTUP", "PYTHONPATH", "PYTHONHOME", "PYTHONINSPECT",
            "NODE_OPTIONS", "NODE_PATH", "RUBYOPT", "RUBYLIB", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "LUA_INIT",
            "GIT_DIR", "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "GIT_WORK_TREE", "MAKEFLAGS", "MAKEFILES", "LESS",
            "LESSKEY", "MANPATH", "INPUTRC", "VIMINIT", "EXINIT", "TERMINFO", "AWKPATH",
            "AWKLIBPATH", "RIPGREP_CONFIG_PATH", "FZF_DEFAULT_COMMAND", "FZF_DEFAULT_OPTS", "CARGO_HOME",
            "XDG_CONFIG_HOME", "GIT_ATTR_SOURCE", "OPENSSL_CONF", "OPENSSL_MODULES", "npm_config_script_shell",
            "PIP_CONFIG_FILE", "APT_CONFIG", "WGETRC", "CURL_HOME", "SUBVERSION_CONFIG", "GREP_OPTIONS",
            "MAILPATH", "PSQLRC", "PGSYSCONFDIR", "GVIMINIT":
            return .configuration
        default: return nil
        }
    }

    /// Whether the shell evaluates whatever is assigned to a variable as arithmetic.
    static func isEvaluatedNumber(_ name: String) -> Bool {
        switch name {
        case "RANDOM", "SRANDOM", "SECONDS", "LINENO", "HISTCMD", "OPTIND", "OPTERR", "UID", "EUID", "PPID", "BASHPID",
            "SHLVL", "EPOCHSECONDS", "EPOCHREALTIME", "BASH_SUBSHELL", "BASH_ARGC", "COLUMNS", "LINES":
            true
        default: false
        }
    }

    /// Whether a variable matters to what runs.
    static func isKnown(_ name: String) -> Bool { name == "IFS" || effect(of: name) != nil }

    /// Whether a `PATH` only adds to the usual folders: the programs named by this text stay the same as long
    /// as none of the folders may be written by the sandbox.
    static func isUsualPath(_ value: String) -> Bool {
        value.split(separator: ":", omittingEmptySubsequences: false).allSatisfy { folder in
            switch folder {
            case "/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/games",
                "/usr/local/games", "/snap/bin":
                true
            default: false
            }
        }
    }
}
