/// A group of programs with one effect, which a policy may block by one name: `@delete`, `@network`, ….
///
/// Each group is a table: names of programs, and programs that have the effect only with certain words. A
/// group covers what it lists and no more; in particular a redirection that empties a file (`> file`) is no
/// program, and an interpreter may do anything (see the policy's `interpreters`). The kernel, not the list,
/// is the wall.
public enum CommandGroup: String, Sendable, Hashable, CaseIterable {
    /// Takes files away or overwrites them beyond recovery.
    case delete
    /// Ends, stops or controls other processes.
    case signal
    /// Speaks to other machines.
    case network
    /// Changes who somebody is, and what they may.
    case privilege
    /// Reads further commands.
    case shell
    /// Runs code of another language.
    case interpreter
    /// Installs or builds software.
    case package
    /// Changes what file systems and namespaces are seen.
    case mount

    /// A program that has the group's effect only when one of its words says so.
    public struct Conditional: Sendable, Hashable {
        /// The program's base name.
        public var program: String
        /// A word that is one of these has the effect…
        public var words: [String]
        /// …or one that begins with one of these.
        public var prefixes: [String]

        init(_ program: String, words: [String] = [], prefixes: [String] = []) {
            self.program = program
            self.words = words
            self.prefixes = prefixes
        }
    }

    /// Base names of programs that have the effect however they are called.
    public var programs: [String] {
        switch self {
        case .delete: CommandGroup.deletePrograms
        case .signal: CommandGroup.signalPrograms
        case .network: CommandGroup.networkPrograms
        case .privilege: CommandGroup.privilegePrograms
        case .shell: CommandGroup.shellPrograms
        case .interpreter: CommandGroup.interpreterPrograms
        case .package: CommandGroup.packagePrograms
        case .mount: CommandGroup.mountPrograms
        }
    }

    /// Programs that have the effect with certain words only.
    public var conditionals: [Conditional] {
        switch self {
        case .delete:
            [
                Conditional("find", words: ["-delete"]),
                Conditional("fd", words: ["--exec", "-x", "-X"]),
                Conditional("git", words: ["clean", "rm", "reset"]),
                Conditional("rsync", prefixes: ["--delete", "--del", "--remove-source-files"]),
                Conditional("tar", words: ["--remove-files"]),
                Conditional("zip", words: ["-m", "--move"]),
                Conditional("7z", words: ["d", "-sdel"]),
                Conditional("logrotate"),
                Conditional("dd", prefixes: ["of="]),
                Conditional("sort", prefixes: ["-o", "--output"]),
                Conditional("mv", words: ["-f", "--force"]),
                Conditional(
                    "rclone", words: ["delete", "purge", "sync", "move", "rmdir", "rmdirs", "deletefile"]),
            ]
        case .network:
            [
                Conditional(
                    "git",
                    words: [
                        "clone", "fetch", "pull", "push", "ls-remote", "submodule", "remote", "send-email",
                        "archive",
                        "svn", "p4", "daemon", "http-fetch", "http-push", "fetch-pack", "send-pack",
                    ]),
                Conditional("openssl", words: ["s_client", "s_server", "s_time", "ocsp"]),
                Conditional(
                    "gpg",
                    prefixes: ["--recv", "--keyserver", "--send-key", "--search-key", "--refresh-key"]),
                Conditional("busybox", words: ["wget", "nc", "telnet", "ftpget", "ftpput", "tftp", "httpd"]),
            ]
        case .signal:
            [
                Conditional("timeout"),
                Conditional(
                    "systemctl", words: ["kill", "stop", "restart", "halt", "poweroff", "reboot", "isolate"]),
                Conditional("fuser", words: ["-k", "--kill"], prefixes: ["-k"]),
                Conditional("start-stop-daemon", words: ["-K", "--stop"]),
            ]
        case .privilege:
            [Conditional("unshare", words: ["-r", "-U", "--map-root-user", "--user"])]
        case .package:
            [
                Conditional("python", words: ["pip", "ensurepip", "easy_install"]),
                Conditional("python3", words: ["pip", "ensurepip", "easy_install"]),
                Conditional("go", words: ["get", "install"]),
                Conditional("perl", words: ["-MCPAN"]),
                Conditional("php", words: ["composer.phar"]),
            ]
        case .shell, .interpreter, .mount: []
        }
    }

    private static let deletePrograms = [
        "rm", "rmdir", "unlink", "shred", "truncate", "wipe", "srm", "sfill", "sswap", "scrub", "trash",
        "trash-put", "trash-empty", "trash-rm", "gio", "del", "erase", "deltree", "wipefs", "blkdiscard",
        "fallocate", "mkfs", "mke2fs", "mkswap", "format", "tmpreaper", "tmpwatch",
    ]

    private static let signalPrograms = [
        "kill", "killall", "killall5", "pkill", "skill", "snice", "xkill", "slay", "shutdown", "reboot",
        "halt",
        "poweroff", "init", "telinit", "renice", "chrt", "taskset", "ionice", "prlimit", "gcore", "gdb",
        "strace",
        "ltrace", "ptrace", "criu",
    ]

    private static let networkPrograms = [
        "curl", "wget", "wget2", "aria2c", "axel", "lynx", "links", "links2", "elinks", "w3m", "http",
        "https",
        "httpie", "xh", "nc", "ncat", "netcat", "nc.openbsd", "nc.traditional", "socat", "telnet", "ssh",
        "scp",
        "sftp", "sshfs", "autossh", "mosh", "rsh", "rlogin", "rcp", "rexec", "rsync", "ftp", "lftp", "ncftp",
        "ncftpget", "ncftpput", "tftp", "atftp", "smbclient", "nmap", "masscan", "zmap", "ping", "ping4",
        "ping6",
        "fping", "hping3", "arping", "traceroute", "traceroute6", "tracepath", "mtr", "dig", "host",
        "nslookup",
        "drill", "kdig", "whois", "finger", "tcpdump", "tshark", "dumpcap", "ngrep", "iperf", "iperf3",
        "mail",
        "mailx", "sendmail", "msmtp", "swaks", "openvpn", "wg", "wg-quick", "tailscale", "cloudflared",
        "ngrok",
        "rclone", "s3cmd", "aws", "gsutil", "gcloud", "az", "kubectl", "helm", "docker", "podman", "crictl",
        "redis-cli", "psql", "mysql", "mongo", "mongosh", "ldapsearch", "snmpwalk", "xfreerdp", "vncviewer",
        "irssi",
        "weechat", "youtube-dl", "yt-dlp", "git-remote-http", "git-remote-https", "svn", "hg", "cvs", "bzr",
        "ip", "ifconfig", "route", "iptables", "ip6tables", "nft", "ss", "netstat", "arp", "dhclient",
        "nmcli",
    ]

    private static let privilegePrograms = [
        "sudo", "sudoedit", "su", "doas", "pkexec", "run0", "runuser", "setpriv", "capsh", "setcap", "chmod",
        "chown",
        "chgrp", "setfacl", "chattr", "newgrp", "sg", "login", "passwd", "chpasswd", "gpasswd", "chsh",
        "chfn",
        "usermod", "useradd", "userdel", "groupadd", "groupdel", "groupmod", "adduser", "deluser", "addgroup",
        "delgroup", "vipw", "vigr", "visudo", "newuidmap", "newgidmap", "nsenter", "ksu", "super", "calife",
        "dzdo", "pfexec", "start-stop-daemon", "chpst", "setuidgid", "gosu", "su-exec",
    ]

    private static let shellPrograms = [
        "sh", "bash", "dash", "ash", "hush", "busybox", "toybox", "zsh", "ksh", "ksh93", "mksh", "oksh",
        "pdksh",
        "yash", "posh", "fish", "csh", "tcsh", "rc", "es", "elvish", "nu", "osh", "oil", "ysh", "xonsh",
        "pwsh",
        "rbash", "rksh", "sash", "screen", "tmux", "script", "expect",
    ]

    private static let interpreterPrograms = [
        "python", "python2", "python3", "pypy", "pypy3", "ipython", "ipython3", "perl", "perl5", "ruby",
        "irb",
        "jruby", "node", "nodejs", "deno", "bun", "ts-node", "tsx", "php", "php-cgi", "lua", "luajit",
        "tclsh",
        "wish", "expect", "awk", "gawk", "mawk", "nawk", "java", "jshell", "groovy", "scala", "kotlin",
        "clojure",
        "clj", "bb", "guile", "racket", "scheme", "sbcl", "clisp", "ecl", "emacs", "emacsclient", "erl",
        "elixir",
        "iex", "escript", "ghci", "runghc", "runhaskell", "ocaml", "Rscript", "R", "julia", "octave", "gst",
        "go",
        "gdb", "lldb", "dotnet", "csi", "fsi", "mono", "swipl", "gforth", "gawk", "bc", "dc", "m4", "jq",
        "jrunscript",
        "rhino", "d8", "qjs", "osascript", "cscript", "wscript", "powershell", "pwsh", "sqlite3", "vim", "vi",
        "nvim", "ex", "make", "gmake", "cmake", "ninja", "ant", "mvn", "gradle", "rake", "just",
    ]

    private static let packagePrograms = [
        "apt", "apt-get", "aptitude", "apt-key", "add-apt-repository", "dpkg", "dselect", "tasksel", "yum",
        "dnf",
        "microdnf", "rpm", "zypper", "pacman", "yay", "paru", "makepkg", "apk", "xbps-install", "emerge",
        "ebuild",
        "nix", "nix-env", "nix-shell", "guix", "brew", "port", "snap", "flatpak", "opkg", "ipkg", "pkg",
        "pkg_add",
        "pip", "pip2", "pip3", "pipx", "pipenv", "poetry", "uv", "uvx", "conda", "mamba", "micromamba",
        "easy_install", "npm", "npx", "yarn", "pnpm", "pnpx", "corepack", "bower", "gem", "bundle", "bundler",
        "cargo", "rustup", "cabal", "stack", "opam", "composer", "pear", "pecl", "luarocks", "cpan", "cpanm",
        "cpanminus", "mix", "hex", "rebar3", "lein", "mvn", "gradle", "sbt", "ivy", "nuget", "vcpkg", "conan",
        "alien", "installer",
    ]

    private static let mountPrograms = [
        "mount", "umount", "umount2", "fusermount", "fusermount3", "mount.nfs", "mount.cifs", "losetup",
        "swapon",
        "swapoff", "pivot_root", "switch_root", "chroot", "unshare", "nsenter", "bwrap", "sshfs", "encfs",
        "cryptsetup", "dmsetup", "lvm", "lvcreate", "vgcreate", "pvcreate", "mdadm", "fdisk", "sfdisk",
        "cfdisk",
        "gdisk", "sgdisk", "parted", "partprobe", "kpartx", "mknod", "modprobe", "insmod", "rmmod", "depmod",
        "systemd-nspawn", "systemd-mount", "runc", "crun", "docker", "podman", "ctr", "nerdctl", "lxc",
        "lxc-start",
        "machinectl", "proot", "fakechroot",
    ]
}

/// Programs that are the same one under further names, so that blocking the name a person knows blocks them
/// all.
enum ProgramAliases {
    /// By the name that a policy blocks.
    static let table: [String: [String]] = [
        "mkfs": [
            "mkfs.bfs", "mkfs.btrfs", "mkfs.cramfs", "mkfs.exfat", "mkfs.ext2", "mkfs.ext3", "mkfs.ext4",
            "mkfs.f2fs",
            "mkfs.fat", "mkfs.jfs", "mkfs.minix", "mkfs.msdos", "mkfs.nilfs2", "mkfs.ntfs", "mkfs.reiserfs",
            "mkfs.udf", "mkfs.vfat", "mkfs.xfs", "mke2fs", "mkdosfs",
        ],
        "iptables": [
            "iptables-legacy", "iptables-nft", "iptables-restore", "iptables-legacy-restore",
            "iptables-nft-restore",
            "xtables-legacy-multi", "xtables-nft-multi", "ip6tables", "ip6tables-legacy", "ip6tables-nft",
        ],
        "sudo": ["sudoedit"],
        "fdisk": ["cfdisk", "sfdisk"],
        "nc": ["nc.openbsd", "nc.traditional", "netcat", "ncat"],
        "netcat": ["nc.openbsd", "nc.traditional", "nc", "ncat"],
        "vi": ["vi.tiny", "vim.tiny", "vim.basic", "vim", "nvi", "ex"],
        "vim": ["vim.tiny", "vim.basic", "vi.tiny", "vi", "ex", "view", "rview", "rvim", "vimdiff"],
        "awk": ["gawk", "mawk", "nawk", "original-awk"],
        "pip": ["pip2", "pip3"],
        "node": ["nodejs"],
        "killall": ["killall5"],
        "sh": ["dash"],
        "ping": ["ping4", "ping6"],
    ]

    /// Programs that carry a version behind their name: `python3.11`, `perl5.36.0`, `lua5.4`, `php8.2`.
    static let versioned: Set<String> = [
        "python", "python2", "python3", "perl", "perl5", "ruby", "lua", "php", "tclsh", "node", "nodejs",
        "pip", "pip3",
        "gcc", "clang", "ghc", "guile", "julia",
    ]

    /// The name without a version behind it, where it is one of ``versioned``: `python3.11` gives `python3`.
    static func unversioned(_ name: String) -> String? {
        var bytes = Array(name.utf8)[...]
        if bytes.starts(with: "python3".utf8), bytes.count > 7 {
            let rest = bytes.dropFirst(7)
            return rest.allSatisfy(isVersionByte) ? "python3" : nil
        }
        while let last = bytes.last, isVersionByte(last) { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "-") { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count < name.utf8.count else { return nil }
        let stem = String(decoding: bytes, as: UTF8.self)
        return versioned.contains(stem) ? stem : nil
    }

    private static func isVersionByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || byte == UInt8(ascii: ".")
    }
}
