import SandboxModel

/// What a comparison of one control came to.
struct AttestationJudgement: Sendable, Hashable {
    var status: ControlStatus
    var found: String
    /// Said after the evidence, where there is something to explain.
    var note = ""

    /// Held by the kernel when `isAsWanted`, else weaker than the policy.
    static func held(_ isAsWanted: Bool, _ found: String, note: String = "") -> AttestationJudgement {
        AttestationJudgement(status: isAsWanted ? .enforced : .degraded, found: found, note: note)
    }
}

extension AppliedControl {
    /// Judges a reading; what could not be read counts as not held.
    static func attested<Value>(
        _ control: String, wanted: String, _ reading: AttestationReading<Value>,
        _ judge: (Value) -> AttestationJudgement
    ) -> AppliedControl {
        switch reading {
        case .unknown(let reason):
            return AppliedControl(
                control, .degraded, wanted: wanted, found: "", evidence: "could not be read: \(reason)")
        case .found(let value, let evidence):
            let judgement = judge(value)
            let note = judgement.note.isEmpty ? "" : (evidence.isEmpty ? "" : "; ") + judgement.note
            return AppliedControl(
                control, judgement.status, wanted: wanted, found: judgement.found, evidence: evidence + note)
        }
    }
}
