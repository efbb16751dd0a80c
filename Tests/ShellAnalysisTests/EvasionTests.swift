import ShellAnalysis
import Testing

/// Texts that were seen to start `rm`, `sudo`, `kill` or `curl` under bash 5.2, in a namespace in which these
/// programs were replaced by stubs that log.
enum Evasions {
    static let all = firstHalf + secondHalf
}

@Suite struct EvasionTests {
    @Test func noneIsAllowed() {
        let allowed = Evasions.all.filter { Decider().decide($0) == .allow }
        #expect(allowed.isEmpty, "\(allowed.joined(separator: "\n"))")
    }

    /// Under the sh dialect nothing may be clearer than under bash.
    @Test func noneIsAllowedAsPOSIX() {
        var decider = Decider()
        decider.dialect = .posix
        let allowed = Evasions.all.filter { decider.decide($0) == .allow }
        #expect(allowed.isEmpty, "\(allowed.joined(separator: "\n"))")
    }

    @Test(arguments: [
        "ls -la", "echo 'rm x'", "grep rm file", "echo \"$(date)\"", "for f in *.txt; do cat \"$f\"; done",
        "cat <<'E'\n$(rm x)\nE", "find . -name '*.py' -exec grep -l rm {} +", "git commit -m 'rm x; curl'",
        "sed 's/rm/x/g' f", "awk '{print $1}' f", "i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i",
        "X=ls; $X -l", "f() { ls; }; f", "tar czf a.tgz dir", "xargs -n1 echo < list", "echo rm | cat",
        "if true; then ls; else pwd; fi", "case x in a) ls;; *) pwd;; esac", "(cd /tmp && ls)", "sh -c 'ls -l'",
        "find . -type f -print0 | xargs -0 wc -l", "n=$(wc -l < f); echo $((n+1))", "sort f | uniq -c | head",
    ])
    func plainTextsStayAllowed(_ text: String) {
        #expect(Decider().decide(text) == .allow, "\(Decider().analyze(text).undecidable)")
    }
}
