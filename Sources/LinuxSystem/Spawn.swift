internal import CLinuxShims
internal import Glibc

/// A child that has just been started, with our ends of its pipes.
struct SpawnedChild: ~Copyable, Sendable {
    var process: ProcessHandle
    var pipes: ChildPipes
}

/// Our ends of a child's pipes, non-blocking.
struct ChildPipes: ~Copyable, Sendable {
    /// `nil` when the child reads nothing.
    var stdin: Descriptor?
    var stdout: Descriptor
    var stderr: Descriptor
}

/// Starting programs by posix_spawn(3).
///
/// The C library's posix_spawn is the choice over swift-subprocess because the child must start in another
/// network namespace at will, with every descriptor above 2 closed, all signals back at their defaults and
/// the mask empty (threads of Dispatch block most signals, and a child would inherit that), and because one
/// epoll loop then serves the pipes of all children. It is CLONE_VFORK underneath: no copy of our page
/// tables.
enum Spawn {
    /// Starts the program. Blocks until the child has replaced itself or could not.
    /// - Throws: `ENOENT`, `EACCES` and others of execve(2), of the program or of its directory; `EINVAL` for
    ///   text with NUL bytes or a path that is not absolute; `EMFILE`, `EAGAIN`.
    static func start(_ command: ChildCommand) throws(SystemError) -> SpawnedChild {
        guard let namespace = command.networkNamespace else { return try startHere(command) }
        // What is made on the thread is carried out through a slot, as results have to be copyable.
        let slot = HandoverSlot<SpawnedChild>()
        try NamespaceThread.run(in: namespace, kind: .network) { () throws(SystemError) in
            slot.put(try startHere(command))
        }
        guard let child = slot.take() else { throw SystemError(errno: ECANCELED, operation: "posix_spawn") }
        return child
    }

    private static func startHere(_ command: ChildCommand) throws(SystemError) -> SpawnedChild {
        let texts = try Texts(command)
        // Everything that can fail comes before the start: afterwards there is a child to look after.
        var writer: Descriptor?
        let childInput: Descriptor
        switch command.input {
        case .nothing:
            childInput = try Descriptor.openAbsolute("/dev/null")
        case .bytes, .stream:
            var ends = try Ends()
            childInput = try ends.takeReader()
            let end = try ends.takeWriter()
            try end.setNonBlocking(true)
            writer = consume end
        }
        var output = try Ends()
        var errors = try Ends()
        let childOutput = try output.takeWriter()
        let childErrors = try errors.takeWriter()
        let reader = try output.takeReader()
        let errorReader = try errors.takeReader()
        try reader.setNonBlocking(true)
        try errorReader.setNonBlocking(true)
        let pid = try spawn(texts, command, childInput, childOutput, childErrors)
        let process = try handle(of: pid)
        return SpawnedChild(
            process: process, pipes: ChildPipes(stdin: writer, stdout: reader, stderr: errorReader))
    }

    /// Opens the child just started; it cannot have been waited for, so the number is certain.
    private static func handle(of pid: Int32) throws(SystemError) -> ProcessHandle {
        do throws(SystemError) {
            return try ProcessHandle(pid: pid)
        } catch {
            // Without a handle the child cannot be looked after: end it and say why.
            _ = kill(pid, SIGKILL)
            var status: Int32 = 0
            // SAFETY: waitpid fills the one number.
            while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            throw error
        }
    }

    private static func spawn(
        _ texts: Texts, _ command: ChildCommand, _ stdin: borrowing Descriptor,
        _ stdout: borrowing Descriptor, _ stderr: borrowing Descriptor
    ) throws(SystemError) -> Int32 {
        let standard = (stdin.rawValue, stdout.rawValue, stderr.rawValue)
        // SAFETY: every text is terminated, lives during the call, and the counts are those of the texts.
        let result = unsafe texts.path.withUnsafeBufferPointer { path in
            unsafe texts.arguments.withUnsafeBufferPointer { arguments in
                unsafe texts.environment.withUnsafeBufferPointer { environment in
                    unsafe texts.directory.withUnsafeBufferPointer { directory in
                        var request = unsafe sw_spawn_request()
                        unsafe request.path = path.baseAddress
                        unsafe request.arguments = arguments.baseAddress
                        unsafe request.argument_count = texts.argumentCount
                        unsafe request.environment = environment.baseAddress
                        unsafe request.environment_count = texts.environmentCount
                        unsafe request.directory =
                            command.workingDirectory == nil ? nil : directory.baseAddress
                        unsafe request.standard = standard
                        unsafe request.starts_session = command.startsSession ? 1 : 0
                        return unsafe sw_spawn(&request)
                    }
                }
            }
        }
        return try SystemError.check(result, "posix_spawn", command.executable)
    }

    /// Both ends of a pipe, each taken at most once; numbers above 2, so that none is in the way of the
    /// child's own three.
    private struct Ends: ~Copyable {
        private var reader: Descriptor?
        private var writer: Descriptor?

        init() throws(SystemError) {
            var numbers: [Int32] = [-1, -1]
            // SAFETY: the shim writes two numbers into an array of two.
            let status = unsafe numbers.withUnsafeMutableBufferPointer { unsafe sw_pipe($0.baseAddress) }
            _ = try SystemError.check(status, "pipe2")
            reader = try Self.raised(Descriptor(owning: numbers[0]))
            writer = try Self.raised(Descriptor(owning: numbers[1]))
        }

        private static func raised(_ descriptor: consuming Descriptor) throws(SystemError) -> Descriptor {
            descriptor.rawValue > 2 ? descriptor : try descriptor.duplicate()
        }

        mutating func takeReader() throws(SystemError) -> Descriptor {
            guard let end = reader.take() else { throw SystemError(errno: EBADF, operation: "pipe2") }
            return end
        }

        mutating func takeWriter() throws(SystemError) -> Descriptor {
            guard let end = writer.take() else { throw SystemError(errno: EBADF, operation: "pipe2") }
            return end
        }
    }

    /// The texts as the shim takes them.
    private struct Texts {
        let path: [CChar]
        let arguments: [CChar]
        let argumentCount: Int
        let environment: [CChar]
        let environmentCount: Int
        let directory: [CChar]

        init(_ command: ChildCommand) throws(SystemError) {
            guard command.executable.hasPrefix("/") else {
                throw SystemError(errno: EINVAL, operation: "posix_spawn", detail: command.executable)
            }
            let arguments = [command.executable] + command.arguments
            let pairs = command.environment ?? ChildCommand.minimalEnvironment
            let environment = pairs.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            let directory = command.workingDirectory ?? ""
            let hasFault =
                (arguments + environment + [directory]).contains { $0.utf8.contains(0) }
                || pairs.keys.contains { $0.isEmpty || $0.utf8.contains(0x3d) }
            guard !hasFault else {
                throw SystemError(
                    errno: EINVAL, operation: "posix_spawn", detail: "a NUL byte, or a variable's name")
            }
            path = Self.packed([command.executable])
            self.arguments = Self.packed(arguments)
            argumentCount = arguments.count
            self.environment = Self.packed(environment)
            environmentCount = environment.count
            self.directory = Self.packed([directory])
        }

        private static func packed(_ texts: [String]) -> [CChar] {
            var packed: [CChar] = []
            for text in texts {
                packed += text.utf8.map { CChar(bitPattern: $0) }
                packed.append(0)
            }
            return packed
        }
    }
}
