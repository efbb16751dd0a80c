extension Privileges {
    /// The capabilities as the kernel's bit mask, as in `CapEff` of `/proc/PID/status`; unknown names count for nothing.
    /// - SeeAlso: capabilities(7)
    package var capabilityMask: UInt64 {
        capabilities.reduce(0) { mask, name in
            guard let bit = Capability.known.firstIndex(of: name) else { return mask }
            return mask | 1 << UInt64(bit)
        }
    }
}
