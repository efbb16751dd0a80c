/// What nft prints of a table, brought to a form in which equal tables are equal texts.
enum RulesetListing {
    /// Sorts the elements of sets, which come in the order of a hash table with a secret seed.
    static func canonical(_ text: String) -> [String] {
        var lines: [String] = []
        var pending: String?
        for rawLine in text.split(separator: "\n") {
            let line = trimmed(rawLine)
            if let begun = pending {
                pending = begun + " " + line
            } else if line.hasPrefix("elements = {") {
                pending = line
            } else if !line.isEmpty {
                lines.append(line)
            }
            if let whole = pending, whole.hasSuffix("}") {
                lines += elements(whole)
                pending = nil
            }
        }
        // A set that never ended is kept, so that it equals nothing.
        return lines + (pending.map { [$0] } ?? [])
    }

    /// The first difference of two canonical forms; `nil` when there is none.
    static func difference(wanted: [String], found: [String]) -> String? {
        for index in 0..<max(wanted.count, found.count) {
            let want = index < wanted.count ? wanted[index] : "(end)"
            let have = index < found.count ? found[index] : "(end)"
            if want != have { return "wanted `\(want)`, found `\(have)`" }
        }
        return nil
    }

    private static func elements(_ line: String) -> [String] {
        let inner = line.dropFirst("elements = {".count).dropLast()
        return ["elements"] + inner.split(separator: ",").map { trimmed($0) }.sorted()
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = text.firstIndex(where: { !isSpace($0) }),
            let last = text.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(text[first...last])
    }
}
