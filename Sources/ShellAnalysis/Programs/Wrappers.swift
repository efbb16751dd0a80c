/// Programs that run the command that follows their own options.
enum Wrappers {
    /// Names with their option grammar; sources are the manual pages of coreutils 9, util-linux 2.38,
    /// findutils 4.9, moreutils, procps 4 and of the programs themselves.
    static let table: [(String, OptionGrammar)] = [
        (
            "env",
            OptionGrammar(
                """
                = - -i0v -u: -C: -S:text -a: --ignore-environment --null --debug --unset: --chdir: \
                --split-string:text --block-signal? --default-signal? --ignore-signal? \
                --list-signal-handling --argv0: --help!stops --version!stops
                """)
        ),
        (
            "xargs gxargs",
            OptionGrammar(
                """
                . -0rtpxo -a:read -d: -E: -e? -I:replace -i?replace -J:replace -L: -l? -n: -P: -s: -R: -S: --null \
                --arg-file:read --delimiter: --eof? --replace?replace --max-lines? --max-args: --max-procs: \
                --max-chars: --no-run-if-empty --verbose --interactive --exit --open-tty --process-slot-var: \
                --show-limits --help!stops --version!stops
                """, tail: .commandWithInput)
        ),
        ("nohup", OptionGrammar("--help!stops --version!stops")),
        ("setsid", OptionGrammar("-cfw --ctty --fork --wait -h!stops -V!stops --help!stops --version!stops")),
        ("nice", OptionGrammar("-N -n: --adjustment: --help!stops --version!stops")),
        (
            "ionice",
            OptionGrammar(
                "-t -c: -n: -p:stops -P:stops -u:stops --class: --classdata: --ignore --pid:stops --help!stops")
        ),
        (
            "chrt",
            OptionGrammar(
                "-abdfimorRv -p!stops -T: -P: -D: --all-tasks --batch --deadline --fifo --idle --other --rr --pid!stops",
                skips: 1)
        ),
        ("taskset", OptionGrammar("-ac -p!stops --all-tasks --cpu-list --pid!stops", skips: 1)),
        (
            "numactl",
            OptionGrammar("-l -i: -p: -m: -N: -C: --localalloc --interleave: --membind: --cpunodebind: --physcpubind:")
        ),
        (
            "timeout",
            OptionGrammar(
                "-v -k: -s: --foreground --preserve-status --verbose --kill-after: --signal: --help!stops --version!stops",
                skips: 1)
        ),
        ("stdbuf", OptionGrammar("-i: -o: -e: --input: --output: --error: --help!stops --version!stops")),
        ("unbuffer", OptionGrammar("-p")),
        (
            "chroot",
            OptionGrammar("--userspec: --groups: --skip-chdir --help!stops", skips: 1, tail: .commandOrShell)
        ),
        (
            "unshare",
            OptionGrammar(
                """
                -m? -u? -i? -n? -p? -U? -C? -T? -frc -R: -w: -S: -G: --mount? --uts? --ipc? --net? --pid? --user? \
                --cgroup? --time? --fork --map-root-user --map-current-user --map-auto --map-user: --map-group: \
                --map-users: --map-groups: --mount-proc? --kill-child? --keep-caps --propagation: --setgroups: \
                --root: --wd: --setuid: --setgid: --monotonic: --boottime: --help!stops --version!stops
                """, tail: .commandOrShell)
        ),
        (
            "nsenter",
            OptionGrammar(
                """
                -aFWZe -t: -m? -u? -i? -n? -p? -U? -C? -T? -S: -G: -r? -w? --all --target: --mount? --uts? --ipc? \
                --net? --pid? --user? --cgroup? --time? --setuid: --setgid: --preserve-credentials --root? --wd? \
                --wdns? --env --no-fork --follow-context
                """, tail: .commandOrShell)
        ),
        (
            "setpriv",
            OptionGrammar(
                """
                -d!stops --dump!stops --clear-groups --groups: --inh-caps: --ambient-caps: --bounding-set: \
                --init-groups --keep-groups --list-caps!stops --no-new-privs --nnp --rgid: --regid: --ruid: \
                --euid: --reuid: --egid: --securebits: --pdeathsig: --selinux-label: --apparmor-profile: --reset-env
                """)
        ),
        (
            "prlimit",
            OptionGrammar(
                """
                -p:stops -c? -d? -e? -f? -i? -l? -m? -n? -q? -r? -s? -t? -u? -v? -x? -y? --pid:stops --core? \
                --data? --nice? --fsize? --sigpending? --memlock? --rss? --nofile? --msgqueue? --rtprio? --stack? \
                --cpu? --nproc? --as? --locks? --rttime? --noheadings --raw --verbose --output:
                """)
        ),
        ("setarch", OptionGrammar("+ -BFILRSTXZv3h --uname-2.6 --verbose --addr-no-randomize", skips: 1)),
        ("linux32 linux64 i386 i686 x86_64", OptionGrammar("-BFILRSTXZv3 --addr-no-randomize")),
        (
            "time",
            OptionGrammar(
                "-apvq -o:write -f: --append --portability --verbose --quiet --output:write --format: --help!stops -V!stops"
            )
        ),
        (
            "sudo",
            OptionGrammar(
                """
                = -ABbEHknPS -K!stops -V!stops -l -v!stops -e!stops -i!follows -s!follows -a: -C: -c: -D: -g: \
                -h: -p: -R: -r: -T: -t: -U: -u: --askpass --background --preserve-env? --set-home \
                --reset-timestamp --non-interactive --stdin --login!follows --shell!follows --user: --group: \
                --host: --prompt: --chdir: --chroot: --role: --type: --command-timeout: --close-from: \
                --other-user: --list --validate!stops --edit!stops
                """)
        ),
        ("doas", OptionGrammar("-Lns -a: -C: -u:")),
        ("pkexec", OptionGrammar("--user: --disable-internal-agent --keep-cwd --version!stops")),
        ("gosu su-exec chpst", OptionGrammar("-v -u: -U: -b: -e: -/: -n: -l: -L: -m: -d: -o: -p: -f: -c:", skips: 1)),
        ("setuidgid envuidgid softlimit setlock", OptionGrammar("", skips: 1)),
        ("sg newgrp", OptionGrammar("-c:text", skips: 1, tail: .text)),
        (
            "strace ltrace",
            OptionGrammar(
                """
                -cCdDfFiknqrtTvVwxyYzZhlLN -a: -A: -b: -e: -E: -I: -o:write -O: -p:stops -P: -s: -S: -u: -U: -X: -n: \
                --follow-forks --output:write --trace: --env: --string-limit: --summary-only --summary --quiet? \
                --attach:stops --user: --seccomp-bpf --decode-fds? --output-separately
                """)
        ),
        (
            "valgrind",
            OptionGrammar(
                """
                -qvd --tool: --leak-check: --log-file:write --error-exitcode: --track-origins: --show-leak-kinds: \
                --trace-children: --quiet --verbose
                """)
        ),
        ("perf", OptionGrammar("", skips: 1)),
        (
            "catchsegv fakeroot fakechroot proot eatmydata torify torsocks proxychains proxychains4 tsocks",
            OptionGrammar("-qf: --")
        ),
        ("dbus-run-session", OptionGrammar("--config-file: --dbus-daemon:program")),
        (
            "dbus-launch",
            OptionGrammar("--exit-with-session --auto-syntax --sh-syntax --csh-syntax --close-stderr --config-file:")
        ),
        (
            "capsh",
            OptionGrammar(
                """
                --print --drop: --caps: --inh: --user: --uid: --gid: --groups: --keep: --secbits: --mode? --chroot: \
                --addamb: --delamb: --noamb --shell:program --forkfor: --iab: --noenv --quiet --decode: --has-p: \
                --has-i: --has-a: --has-b: --has-no-new-privs --supports: --killit: --current --strict --suggest:
                """, tail: .shellArguments)
        ),
        (
            "bwrap",
            OptionGrammar(
                """
                --help!stops --version!stops --args: --unshare-all --share-net --unshare-user --unshare-user-try \
                --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup --unshare-cgroup-try \
                --userns: --userns2: --pidns: --uid: --gid: --hostname: --chdir: --clearenv --setenv:: --unsetenv: \
                --lock-file: --sync-fd: --bind:: --bind-try:: --dev-bind:: --dev-bind-try:: --ro-bind:: \
                --ro-bind-try:: --remount-ro: --exec-label: --file-label: --proc: --dev: --tmpfs: --mqueue: --dir: \
                --file:: --bind-data:: --ro-bind-data:: --symlink:: --chmod:: --seccomp: --add-seccomp-fd: \
                --block-fd: --userns-block-fd: --info-fd: --json-status-fd: --new-session --die-with-parent \
                --as-pid-1 --cap-add: --cap-drop: --perms: --size: --disable-userns --assert-userns-disabled
                """)
        ),
        ("firejail", OptionGrammar("--noprofile --quiet --private? --net: --profile:opaque --noroot --seccomp?")),
        ("entr", OptionGrammar("-acdnprz -s!follows")),
        (
            "tini dumb-init catatonit",
            OptionGrammar("-vgswchl -p: -e: -r: --version!stops --single-child --verbose --rewrite:")
        ),
        (
            "ld.so",
            OptionGrammar(
                """
                --list --verify --inhibit-cache --library-path: --inhibit-rpath: --audit:opaque \
                --preload:opaque --argv0: --glibc-hwcaps-prepend: --glibc-hwcaps-mask: --list-tunables!stops \
                --list-diagnostics!stops --help!stops --version!stops
                """)
        ),
        ("busybox toybox busybox-static", OptionGrammar("--list!stops --help!stops --install!stops --list-full!stops")),
        (
            "watch",
            OptionGrammar(
                """
                -bcCegprtwvd -n: -q: --beep --color --no-color --differences? --errexit --chgexit --precise \
                --no-title --no-wrap --interval: --equexit: -x --exec --help!stops --version!stops
                """, tail: .text)
        ),
        (
            "systemd-run",
            OptionGrammar(
                """
                -GqtPSrd -u: -p: -E: -M: -H: --user --system --scope --unit: --property: --description: --slice: \
                --remain-after-exit --send-sighup --service-type: --uid: --gid: --nice: --working-directory: \
                --same-dir --setenv: --pty --pipe --shell --quiet --collect --wait --no-block --on-active: \
                --on-boot: --on-calendar: --timer-property:
                """, tail: .commandOrShell)
        ),
        ("systemd-inhibit", OptionGrammar("--what: --who: --why: --mode: --list!stops")),
        ("aa-exec", OptionGrammar("-div -p: -n: --profile: --namespace: --immediate --debug --verbose")),
        ("choom", OptionGrammar("-n: -p:stops --adjust: --pid:stops")),
        ("cpulimit", OptionGrammar("-vziqm -l: -p:stops -e:stops -P:stops --limit: --pid:stops --exe:stops --")),
        ("cgexec", OptionGrammar("-g: --sticky")),
        ("runcon", OptionGrammar("-c -t: -u: -r: -l: --compute --type: --user: --role: --range:", skips: 1)),
        ("chronic ifne", OptionGrammar("-ven")),
        ("ssh-agent", OptionGrammar("-cDdksk -a: -E: -O: -P: -t:")),
        (
            "xvfb-run",
            OptionGrammar(
                "-al -e: -f: -n: -p: -s: -w: --auto-servernum --server-args: --error-file: --server-num: --listen-tcp")
        ),
        ("rlwrap", OptionGrammar("-aAcCdDeEfFgGhHiIlmMnNoOpPqQrRsStTuUvVwWxXzZ")),
        ("distcc ccache sccache", OptionGrammar("")),
        ("logsave", OptionGrammar("-asv", skips: 1)),
        (
            "hyperfine",
            OptionGrammar(
                "-N -w: -r: -m: -M: -p:text -c:text -s:text -S:opaque -i --warmup: --runs: --prepare:text --setup:text --cleanup:text --conclude:text --shell:opaque --show-output --export-json:write --export-markdown:write --export-csv:write",
                tail: .text)
        ),
    ]
}
