/// The commands that are measured.
struct Corpus {
    let name: String
    let commands: [String]

    /// Splits commands that are separated by zero bytes, as `scripts/bench.sh` hands them in.
    /// - Returns: `nil` when there is none.
    init?(name: String, separated bytes: some Collection<UInt8>) {
        let commands = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard !commands.isEmpty else { return nil }
        self.init(name: name, commands: commands)
    }

    private init(name: String, commands: [String]) {
        self.name = name
        self.commands = commands
    }

    /// A few everyday and a few hostile ones, for machines that have no corpus.
    static let small = Corpus(
        name: "built-in list",
        commands: [
            "ls -l /work", "echo hello", "grep -rn 'needle' . | wc -l", "python3 script.py --input data.csv",
            "find . -name '*.txt' -print0 | xargs -0 grep -l needle", "for f in *.json; do jq . \"$f\"; done",
            "sort -k2 -n data.csv | uniq -c | head -20", "tar -czf out.tar.gz src && ls -lh out.tar.gz",
            "awk -F, '{ total += $3 } END { print total }' data.csv", "cd src && make -j2 > build.log 2>&1",
            "r''m -rf /", "find . -name '*.tmp' -exec rm {} +", "env X=1 nice sh -c 'echo hi; sudo id'",
            "echo cm0gLXJmIC8= | base64 -d | sh", "x=r; y=m; $x$y -rf /work", "timeout 5 nohup kill -9 1 &",
        ])
}
