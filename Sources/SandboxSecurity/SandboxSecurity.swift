// Joins policies, runtimes, network, monitor and journal: the `SandboxSecurityManager` actor owns every sandbox's
// life, answers violations, and publishes immutable snapshots from which checks are answered without it.
