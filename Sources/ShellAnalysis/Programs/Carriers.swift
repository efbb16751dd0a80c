/// Programs with many options of which a few start other programs. Only those few are listed; they are looked
/// for among all words, and a beginning that may mean one of them counts.
enum Carriers {
    static let table: [(String, OptionGrammar)] = [
        (
            "tar gtar bsdtar",
            OptionGrammar(
                """
                -I:split -F:text --use-compress-program:split --to-command:text --checkpoint-action:code \
                --rsh-command:program --rmt-command:program --info-script:text --new-volume-script:text
                """)
        ),
        ("cpio", OptionGrammar("--rsh-command:program --rmt-command:program")),
        ("rsync", OptionGrammar("-e:split --rsh:split --rsync-path:text -M:code --early-exec:text")),
        ("man", OptionGrammar("-P:split --pager:split -H?split --html?split -C:opaque --config-file:opaque")),
        ("zip", OptionGrammar("--unzip-command:text -TT:text -TmTT:text")),
        ("rg", OptionGrammar("--pre:program --hostname-bin:program --search-zip")),
        ("sort", OptionGrammar("--compress-program:program -o:write --output:write")),
        ("split", OptionGrammar("--filter:text")),
        ("scp sftp", OptionGrammar("-S:program -o:remote -D:split -F:opaque")),
        ("wget", OptionGrammar("--use-askpass:program -e:code --execute:code -O:write --config:opaque")),
        ("curl", OptionGrammar("-K:opaque --config:opaque -o:write --output:write")),
        (
            "aria2c",
            OptionGrammar(
                "--on-download-complete:program --on-download-start:program --on-download-error:program --on-download-stop:program --conf-path:opaque"
            )
        ),
        (
            "nc ncat netcat nc.traditional nc.openbsd",
            OptionGrammar("-e:split -c:text --exec:split --sh-exec:text --lua-exec:opaque")
        ),
        ("psql", OptionGrammar("-c:code -o:code -f:opaque --command:code --output:code --file:opaque -v:code")),
        ("mysql mariadb", OptionGrammar("-e:code --execute:code --pager:text")),
        ("sqlite3", OptionGrammar("-cmd:code -init:opaque --cmd:code --init:opaque")),
        ("apt apt-get aptitude apt-cache", OptionGrammar("-o:code -c:opaque --option:code --config-file:opaque")),
        (
            "gcc g++ cc c++ clang clang++",
            OptionGrammar("-wrapper:code -o:write -fplugin:opaque --wrapper:code -B:opaque")
        ),
        ("nmap", OptionGrammar("--script:opaque --interactive")),
        (
            "gpg gpg2",
            OptionGrammar(
                "--photo-viewer:text --agent-program:program --keyserver-options:code --pinentry-program:program")
        ),
        ("dpkg", OptionGrammar("--pre-invoke:text --post-invoke:text -i:opaque --install:opaque")),
        ("rpm", OptionGrammar("--pipe:text --eval:code -E:code --define:code -D:code")),
        ("mail mailx", OptionGrammar("-S:code -f:opaque")),
        ("cowsay cowthink", OptionGrammar("-f:opaque")),
        ("mutt", OptionGrammar("-e:code -F:opaque")),
        ("screen", OptionGrammar("-c:opaque")),
        ("pg_dump ctags", OptionGrammar("--options:opaque")),
        (
            "pandoc",
            OptionGrammar("-F:opaque -L:opaque --filter:opaque --lua-filter:opaque --pdf-engine:program -o:write")
        ),
        ("tcpdump", OptionGrammar("-z:program -w:write")),
        ("sshuttle", OptionGrammar("-e:text --ssh-cmd:text")),
        ("openvpn", OptionGrammar("--up:text --down:text --route-up:text --config:opaque")),
        ("logrotate", OptionGrammar("-m:text --mail:text")),
        ("fzf", OptionGrammar("--preview:text --bind:code")),
        ("date", OptionGrammar("-f:read")),
        ("file", OptionGrammar("-f:read -m:read --files-from:read --magic-file:read")),
        ("hg", OptionGrammar("--config:code --ssh:text -e:text --remotecmd:text")),
        ("svn", OptionGrammar("--editor-cmd:text --diff-cmd:program --diff3-cmd:program --config-option:code")),
        ("cvs", OptionGrammar("-e:text -d:code")),
        ("ip", OptionGrammar("-b:opaque -batch:opaque -force")),
        ("mplayer mpv", OptionGrammar("--input-conf:opaque --script:opaque")),
        ("ghostscript gs", OptionGrammar("-c:opaque -f:opaque")),
        ("tshark wireshark", OptionGrammar("-X:code")),
        ("exiftool", OptionGrammar("-if:code -config:opaque -p:code")),
        ("sysctl", OptionGrammar("-w:code")),
    ]

    /// What they start stands in files or input of their own.
    static let opaque = """
        visudo vipw vigr ftp lftp cpan dmsetup run-parts \
        snap flatpak-spawn flatpak ansible ansible-playbook puppet chef-client salt salt-call \
        docker-compose modprobe insmod update-alternatives \
        ldconfig debugfs restic rc-service socat zsoelim nroff troff groff \
        gimp scrot xmodmap byobu dialog whiptail ed red ex rview rvim pico \
        latex pdflatex xelatex luatex tex lualatex pdftex xetex slsh \
        enscript dvips terraform genie ginsh gtester hping3 jrunscript jjs knife ksshell \
        multitime neofetch ntpdate opkg \
        tdbtool varnishncsa virsh volatility w3m xelatex yelp zathura bpftrace \
        docker podman kubectl lxc lxc-attach machinectl nerdctl ctr crictl runc crun bconsole
        """

    /// They run what files of the project say.
    static let project = """
        make gmake bmake cmake ninja meson npm npx pnpm yarn bun bunx cargo rake bundle bundler gem gradle \
        gradlew mvn ant sbt lein scons tox nox poetry pipenv uv pre-commit just task composer dotnet mix \
        rebar3 stack cabal bazel buck go gulp grunt jest mocha vite webpack tsc eslint lerna nx turbo \
        setup.py pytest behave cucumber rspec phpunit artisan drush wp conda mamba dub zig swift vagrant
        """
}
