extension Walker {
    /// Looks at what setting a variable means to later programs and shells.
    mutating func checkHazard(_ name: String, _ value: Value, _ range: Range<Int>) {
        if name == "IFS" {
            changesIFS = true
            analysis.environmentHazards.append(EnvironmentHazard(variable: name, range: range))
            return
        }
        guard let effect = Hazards.effect(of: name) else { return }
        var text: String?
        if case .constant(let bytes) = value { text = String(decoding: bytes, as: UTF8.self) }
        if analysis.environmentHazards.count < limits.maxCommands {
            analysis.environmentHazards.append(EnvironmentHazard(variable: name, value: text, range: range))
        }
        switch effect {
        case .command:
            guard case .constant(let bytes) = value else {
                if name == "PS0" || name == "PS1" || name == "PS2" {
                    // A prompt is expanded by shells that are started later.
                    return pendingHazards.append((name, range))
                }
                return report(.dynamicScript(name), range)
            }
            if name == "TAR_OPTIONS" { return report(.poisonedContext(name), range) }
            let outer = state
            reparse(bytes, Origin(base: range.lowerBound, isExact: false, length: range.count), via: name)
            state = outer
            lastOutput = nil
        case .loader, .configuration:
            if name == "PATH", let text, Hazards.isUsualPath(text) { return }
            pendingHazards.append((name, range))
        }
    }

    /// Reports the hazards that a program which starts now would meet.
    mutating func meetHazards(_ name: String, _ range: Range<Int>) {
        guard !pendingHazards.isEmpty else { return }
        for hazard in pendingHazards { report(.poisonedContext(hazard.variable), hazard.range) }
        pendingHazards = []
    }

    /// Looks at the variables that the shell starts with.
    mutating func checkEnvironment() {
        for name in context.environment.keys.sorted() {
            let value = Array((context.environment[name] ?? "").utf8)
            checkHazard(name, .constant(value), 0..<0)
            state.set(name, to: .constant(value))
            hidden.noteAssignment(name, .constant(value))
        }
    }
}
