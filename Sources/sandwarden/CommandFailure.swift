/// Why a command ends with another status than 0.
struct CommandFailure: Error, CustomStringConvertible {
    /// The statuses that scripts may rely on.
    enum Status: Int32 {
        case failed = 1
        /// The input, a flag or a file is wrong.
        case badInput = 2
        /// A check was answered with a denial.
        case denied = 3
        /// Something that is needed is not there.
        case unavailable = 4
    }

    var status: Status
    /// What is printed on standard error; may have several lines.
    var detail: String

    init(_ status: Status, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    var description: String { detail }
}
