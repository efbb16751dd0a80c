import Glibc

/// The environment of this process.
enum ProcessEnvironment {
    /// All variables; of two with one name the first counts, as for `getenv`.
    static var all: [String: String] {
        var result: [String: String] = [:]
        // SAFETY: `environ` is a null-terminated array of C strings that nobody changes: this process never calls
        // `setenv`.
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let line = unsafe String(cString: text)
            if let split = line.firstIndex(of: "=") {
                let name = String(line[..<split])
                if result[name] == nil { result[name] = String(line[line.index(after: split)...]) }
            }
            unsafe entry += 1
        }
        return result
    }
}
