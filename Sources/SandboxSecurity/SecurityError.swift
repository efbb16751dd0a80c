public import SandboxModel

/// Why the manager refused or could not do something.
public struct SecurityError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of refusal that clients tell apart.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A field or parameter is wrong; see ``SecurityError/faults``.
        case invalid
        case notFound = "not_found"
        /// The present state, or somebody else's use, does not allow it.
        case conflict
        /// The policy says no; see ``SecurityError/verdict``.
        case denied
        /// The caller's role does not allow it.
        case forbidden
        /// No valid credentials.
        case unauthenticated
        /// Controls cannot be applied; see ``SecurityError/controls``.
        case unenforceable
        /// The engine, the host or a program that is needed is missing or down.
        case unavailable
        /// `If-Match` or `If-None-Match` did not hold.
        case preconditionFailed = "precondition_failed"
        case tooLarge = "too_large"
        /// A bound is reached; try later.
        case exhausted
        case timedOut = "timed_out"
        /// The same idempotency key with another body.
        case keyReused = "key_reused"
        /// The journal cannot take the record that this needs.
        case journalFailing = "journal_failing"
        /// Something that should not happen did.
        case failed
    }

    /// The kind of refusal.
    public var code: Code
    /// One sentence: what was found, and the next step where there is one.
    public var detail: String
    /// The fields that are wrong.
    public var faults: [DocumentFault]
    /// The verdict behind ``Code/denied``.
    public var verdict: Verdict?
    /// The controls behind ``Code/unenforceable``.
    public var controls: [AppliedControl]
    /// Seconds after which trying again makes sense.
    public var retryAfterSeconds: Int?

    /// A refusal.
    public init(
        _ code: Code, _ detail: String, faults: [DocumentFault] = [], verdict: Verdict? = nil,
        controls: [AppliedControl] = [], retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.detail = detail
        self.faults = faults
        self.verdict = verdict
        self.controls = controls
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// The sentence for clients.
    public var description: String { detail }

    /// A wrong field, by JSON pointer.
    static func invalid(_ pointer: String, _ detail: String) -> SecurityError {
        SecurityError(
            .invalid, "\(pointer.isEmpty ? "the request" : pointer): \(detail)",
            faults: [DocumentFault(pointer: pointer, location: .none, detail: detail)])
    }
}
