import SandboxModel
import ShellAnalysis

/// A policy made ready to check with: lists turned into sets, patterns parsed, paths normalised.
///
/// Immutable and shared freely: checks run on whatever thread asks, without locks.
public final class CompiledPolicy: Sendable {
    /// The policy and its version.
    public let version: PolicyVersion
    // Copied out of the policy: reading them there would copy, and count references to, all of it.
    let name: PolicyName
    let isAudit: Bool
    let deniesUndecidable: Bool
    let interpreters: InterpreterRule
    let dialect: ShellDialect
    let workspaceText: String
    let workspace: [UInt8]

    let blocked: BlockedPrograms
    let hasAllowedList: Bool
    let allowedNames: NameSet
    let allowedPaths: NameSet
    let patterns: PatternSet
    /// Extensions of one part.
    let extensions: NameSet
    /// Extensions of several parts, such as `.tar.gz`.
    let longExtensions: [[UInt8]]
    let writablePlaces: [[UInt8]]
    let analyzer = ShellAnalyzer()

    /// Compiles a policy's version.
    /// - Precondition: The policy was checked; entries that are none are left out, which a check would have
    ///   refused.
    public init(_ version: PolicyVersion) {
        let policy = version.policy
        self.version = version
        name = policy.name
        isAudit = policy.enforcement == .audit
        deniesUndecidable = policy.undecidableCommands == .deny
        interpreters = policy.interpreters
        dialect = policy.shell == .bash ? .bash : .posix
        workspaceText = policy.workspace
        blocked = BlockedPrograms(policy.blockedCommands)
        hasAllowedList = !policy.allowedCommands.isEmpty
        allowedNames = NameSet(policy.allowedCommands.filter { !$0.contains("/") })
        allowedPaths = NameSet(policy.allowedCommands.filter { $0.contains("/") })
        patterns = PatternSet(policy.blockedFilePatterns.compactMap { PathPattern.parse($0).success })
        let isLong = { (text: String) in text.dropFirst().contains(".") }
        extensions = NameSet(policy.allowedFileExtensions.filter { !isLong($0) })
        longExtensions = policy.allowedFileExtensions.filter(isLong).map { Array($0.utf8) }
        workspace = LexicalPath.normalize(Array(policy.workspace.utf8), base: [])
        writablePlaces = WritablePlaces.all(of: policy)
    }

    /// The policy's values.
    public var policy: Policy { version.policy }

    /// The base names that are blocked whatever their words are, groups and further names unfolded, sorted:
    /// what a kernel mechanism is to hold.
    public var blockedProgramNames: [String] { blocked.unconditionalNames }

    func verdict(_ reasons: ReasonCollector, commands: [String] = []) -> Verdict {
        let decision: Decision = reasons.isDenied ? (isAudit ? .audit : .deny) : .allow
        return Verdict(
            decision: decision, reasons: reasons.sorted, commands: commands,
            isUndecidable: reasons.isUndecidable, wall: reasons.isHeldByKernel ? .kernel : .advice,
            policy: name, policyVersion: version.version)
    }
}

/// What the kernel of one sandbox stops by itself, so that a verdict can say which wall stands behind it.
public struct KernelWall: Sendable, Hashable {
    /// Base names of programs that the sandbox cannot execute.
    public var blockedPrograms: Set<String>

    /// A wall that stops the given programs.
    public init(blockedPrograms: Set<String> = []) { self.blockedPrograms = blockedPrograms }

    /// No sandbox, or none that stops anything: every denial is advice.
    public static let none = KernelWall()
}

/// Collects the reasons of one verdict, without repeats and with a bound.
struct ReasonCollector {
    /// Most reasons in one verdict; how many more there were is said in the last one.
    static let maximum = 64

    private var reasons: [VerdictReason] = []
    private var dropped = 0
    private(set) var isDenied = false
    private(set) var isUndecidable = false
    private var isAllHeld = true

    /// Whether the kernel would stop everything that was denied.
    var isHeldByKernel: Bool { isDenied && isAllHeld }

    /// Adds a reason to deny.
    mutating func deny(_ reason: VerdictReason, isHeldByKernel: Bool = false) {
        isDenied = true
        if !isHeldByKernel { isAllHeld = false }
        add(reason)
    }

    /// Adds something that cannot be decided, which denies where the policy says so.
    mutating func undecidable(_ reason: VerdictReason, denies: Bool) {
        isUndecidable = true
        if denies {
            deny(reason)
        } else {
            add(reason)
        }
    }

    /// Says that something cannot be decided, where its reason was added already.
    mutating func markUndecidable() { isUndecidable = true }

    /// Adds something worth knowing that denies nothing.
    mutating func note(_ reason: VerdictReason) { add(reason) }

    private mutating func add(_ reason: VerdictReason) {
        guard reasons.count < ReasonCollector.maximum else {
            dropped += 1
            return
        }
        let isRepeat = reasons.contains {
            $0.rule == reason.rule && $0.match == reason.match && $0.range == reason.range
        }
        if !isRepeat { reasons.append(reason) }
    }

    /// The reasons in the order of the text; those without a place come first.
    var sorted: [VerdictReason] {
        guard reasons.count > 1 else { return reasons }
        var result = reasons.enumerated().sorted { left, right in
            let (a, b) = (left.element.range?.lowerBound ?? -1, right.element.range?.lowerBound ?? -1)
            return a == b ? left.offset < right.offset : a < b
        }.map(\.element)
        if dropped > 0 { result[result.count - 1].detail += " (and \(dropped) further reasons)" }
        return result
    }
}
