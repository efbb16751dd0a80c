/// The kernel's files that no sandbox sees, and those that it cannot write.
///
/// One list for every driver, so that a sandbox is the same whatever made it, and for the attestation, which looks
/// for a mount over each. A path that the host's kernel does not have needs none.
package enum AttestationPaths {
    /// Covered by an empty folder or by the null device.
    package static let masked = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/keys",
        "/proc/kmsg", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/sysrq-trigger",
        "/proc/timer_list", "/proc/timer_stats", "/proc/vmallocinfo", "/sys/devices/virtual/powercap",
        "/sys/firmware", "/sys/fs/bpf", "/sys/fs/selinux", "/sys/kernel/debug", "/sys/kernel/security",
        "/sys/kernel/tracing",
    ]

    /// Seen, but read-only.
    package static let readOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"]
}
