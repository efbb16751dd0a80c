/// Follows data that the shell may evaluate as code.
///
/// Arithmetic, subscripts, `${!x}` and a few builtins evaluate the *values* of variables: with
/// `x='a[$(rm f)]'` the harmless `$((x))` runs `rm`. Order does not matter here: whatever the text ever puts
/// into a variable counts at every place that evaluates it, functions and loops included.
struct HiddenEvaluation {
    /// Every variable that the text sets.
    var assignedNames: Set<String> = []
    /// Whether the text may set `$1` and its like.
    var setsPositional = false
    /// Variables that hold something else than a number or another variable's name.
    var unsafeNames: [String: Bool] = [:]
    /// `x=y`: to evaluate x is to evaluate y.
    var aliases: [(name: String, target: String)] = []
    /// Where variables are evaluated.
    var uses: [(name: String, range: Range<Int>, what: String)] = []
    /// Variables that function bodies write.
    var functionWrites: [String] = []
    /// Functions that were defined anywhere so far, on whatever condition.
    var functionNames: [String] = []
    /// Whether every variable counts as unsafe, since unseen code may have set it.
    var anythingIsUnsafe = false

    /// Whether the text may set a variable or parameter.
    func mayBeSet(_ name: String) -> Bool {
        guard let first = name.utf8.first, Byte.beginsName(first) else { return setsPositional }
        return assignedNames.contains(name)
    }

    mutating func noteAssignment(_ name: String, _ value: Value) {
        assignedNames.insert(name)
        switch value {
        case .number: break
        case .unknown: unsafeNames[name] = true
        case .constant(let bytes):
            if bytes.allSatisfy({ Byte.isDigit($0) }) || isSignedNumber(bytes) { return }
            if let first = bytes.first, Byte.beginsName(first), bytes.allSatisfy({ Byte.continuesName($0) }) {
                aliases.append((name, String(decoding: bytes, as: UTF8.self)))
            } else {
                unsafeNames[name] = true
            }
        }
    }

    private func isSignedNumber(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, first == Byte.minus || first == Byte.plus || Byte.isDigit(first) else {
            return false
        }
        return bytes.dropFirst().allSatisfy { Byte.isDigit($0) || $0 == Byte.dot }
    }

    mutating func noteUse(_ name: String, _ range: Range<Int>, _ what: String) {
        uses.append((name, range, what))
    }

    /// The places at which data of this text would be evaluated.
    func findings() -> [Undecidable] {
        guard !uses.isEmpty else { return [] }
        var unsafe = unsafeNames
        for _ in 0..<min(aliases.count, 8) {
            for alias in aliases where unsafe[alias.target] == true { unsafe[alias.name] = true }
        }
        if aliases.count > 8 {
            for alias in aliases { unsafe[alias.name] = true }
        }
        return uses.filter { anythingIsUnsafe || unsafe[$0.name] == true }
            .map { Undecidable(reason: .hiddenEvaluation($0.what), range: $0.range) }
    }
}
