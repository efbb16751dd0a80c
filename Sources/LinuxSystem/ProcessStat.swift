/// What `/proc/PID/stat` says of times and kinship.
/// - SeeAlso: proc_pid_stat(5).
package struct ProcessStat: Sendable, Hashable {
    package let pid: Int32
    /// At most 15 bytes, chosen by the process: spaces and parentheses may be among them.
    package let name: String
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I`.
    package let state: UInt8
    package let parent: Int32
    package let processGroup: Int32
    package let session: Int32
    /// Clock ticks (100 a second) in user mode.
    package let userTicks: UInt64
    /// Clock ticks in the kernel.
    package let systemTicks: UInt64
    package let threads: Int
    /// Clock ticks since boot at which the process started: with the pid, its identity within one boot.
    package let startTicks: UInt64
    /// Resident memory in pages.
    package let residentPages: Int64

    /// Reads the file's text.
    ///
    /// The name ends at the last closing parenthesis: it may hold any other.
    /// - Returns: `nil` for text of another form.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> ProcessStat? {
        guard let open = bytes.firstIndex(of: 0x28), let close = bytes.lastIndex(of: 0x29) else { return nil }
        guard open < close else { return nil }
        let pidText = KernelText.trimmed(bytes[..<open])
        let words = KernelText.words(KernelText.trimmed(bytes[(close + 1)...]))
        guard words.count >= 22, let state = words[0].first else { return nil }
        guard let pid = KernelText.unsigned(pidText).flatMap({ Int32(exactly: $0) }),
            let parent = KernelText.signed(words[1]).flatMap({ Int32(exactly: $0) }),
            let group = KernelText.signed(words[2]).flatMap({ Int32(exactly: $0) }),
            let session = KernelText.signed(words[3]).flatMap({ Int32(exactly: $0) }),
            let user = KernelText.unsigned(words[11]),
            let system = KernelText.unsigned(words[12]),
            let threads = KernelText.signed(words[17]).flatMap({ Int(exactly: $0) }),
            let start = KernelText.unsigned(words[19]),
            let resident = KernelText.signed(words[21])
        else { return nil }
        return ProcessStat(
            pid: pid, name: KernelText.text(bytes[(open + 1)..<close]), state: state, parent: parent,
            processGroup: group, session: session, userTicks: user, systemTicks: system, threads: threads,
            startTicks: start, residentPages: resident)
    }
}
