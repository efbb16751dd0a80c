package import Journal
internal import SandboxModel
package import SandboxPolicy
package import SandboxRuntime

extension SecurityError {
    /// What a driver's failure means to a client.
    package init(_ error: RuntimeError) {
        let code: Code
        switch error.code {
        case .notFound: code = .notFound
        case .conflict: code = .conflict
        case .unavailable: code = .unavailable
        case .invalid, .unsupported, .refused: code = .unenforceable
        case .timedOut: code = .timedOut
        case .tooLarge: code = .tooLarge
        case .denied: code = .denied
        case .exhausted: code = .exhausted
        case .failed: code = .failed
        }
        self.init(
            code, error.description,
            retryAfterSeconds: code == .unavailable || code == .exhausted ? 5 : nil)
    }

    /// What a policy's faults mean to a client.
    package init(_ error: PolicyFaults) {
        let first = error.faults.first?.description ?? "the policy cannot be used"
        self.init(
            .invalid, error.faults.count > 1 ? "\(error.faults.count) faults; the first: \(first)" : first,
            faults: error.faults.map(\.fault))
    }

    /// The reasons of a denial in one sentence.
    static func sentence(_ verdict: Verdict) -> String {
        guard let first = verdict.reasons.first else { return "policy \(verdict.policy) denies it" }
        let more = verdict.reasons.count > 1 ? " (and \(verdict.reasons.count - 1) more)" : ""
        return "policy \(verdict.policy) denies it: \(first.rule): \(first.detail)\(more)"
    }
}

extension SecurityError {
    /// What a journal's failure means to a client.
    package init(_ error: JournalError) {
        switch error.code {
        case .notFound: self.init(.notFound, error.description)
        case .badCursor: self.init(.invalid, "the cursor is not one of this journal")
        case .tooManySubscribers, .busy: self.init(.exhausted, error.description, retryAfterSeconds: 5)
        case .queueFull, .failing, .closed, .timedOut, .locked:
            self.init(.journalFailing, error.description, retryAfterSeconds: 5)
        case .invalidRecord, .tooLarge, .damaged, .io: self.init(.failed, error.description)
        }
    }
}
