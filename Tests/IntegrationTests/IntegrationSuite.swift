import Testing

/// The built daemon with real containers, looked at from the host.
///
/// One after the other: they share the host's control groups and its few cores, and look at what is left on it.
@Suite(.serialized, .timeLimit(.minutes(10)))
enum Integration {
    static let needsRoot = ConditionTrait.enabled(if: TestHost.isRoot, "sandboxes need root")
}
