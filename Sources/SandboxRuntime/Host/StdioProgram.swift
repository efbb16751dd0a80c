/// A tiny static program that takes its standard streams from descriptors 3, 4 and 5 and becomes another
/// program.
///
/// `stdio PROGRAM ARGUMENT…` moves 3 to 0, 4 to 1, 5 to 2, closes 3 to 5, and replaces itself by `PROGRAM`
/// (an absolute path, which is also its `argv[0]`); it ends with 127 when it cannot. An OCI runtime that
/// copies the streams itself ends only when the last descendant of the program has let go of them; handed
/// over as further descriptors they pass the runtime by, and its end is the program's end.
enum StdioProgram {
    /// The whole file for the architecture that this code runs on.
    static func elf() -> [UInt8] {
        #if arch(x86_64)
            file(machine: 62, code: x86_64)
        #else
            file(machine: 183, code: aarch64)
        #endif
    }

    // for index in 0...2: dup2(index + 3, index); close(index + 3)
    // execve(argv[1], argv + 1, environ); exit(127)
    private static let x86_64: [UInt8] = [
        0x31, 0xdb,  // xor ebx, ebx
        0x8d, 0x7b, 0x03,  // next: lea edi, [rbx + 3]
        0x89, 0xde,  // mov esi, ebx
        0x6a, 0x21, 0x58, 0x0f, 0x05,  // dup2
        0x85, 0xc0,  // test eax, eax
        0x78, 0x2d,  // js fail
        0x8d, 0x7b, 0x03,  // lea edi, [rbx + 3]
        0x6a, 0x03, 0x58, 0x0f, 0x05,  // close
        0xff, 0xc3,  // inc ebx
        0x83, 0xfb, 0x03,  // cmp ebx, 3
        0x75, 0xe3,  // jne next
        0x48, 0x8b, 0x04, 0x24,  // mov rax, [rsp]
        0x48, 0x83, 0xf8, 0x02,  // cmp rax, 2
        0x72, 0x14,  // jb fail
        0x48, 0x8b, 0x7c, 0x24, 0x10,  // mov rdi, [rsp + 16]
        0x48, 0x8d, 0x74, 0x24, 0x10,  // lea rsi, [rsp + 16]
        0x48, 0x8d, 0x54, 0xc4, 0x10,  // lea rdx, [rsp + rax * 8 + 16]
        0x6a, 0x3b, 0x58, 0x0f, 0x05,  // execve
        0x6a, 0x7f, 0x5f,  // fail: mov rdi, 127
        0x6a, 0x3c, 0x58, 0x0f, 0x05,  // exit
    ]

    private static let aarch64: [UInt8] =
        words([
            0xd280_0013,  // mov x19, 0
            0x1100_0e60,  // next: add w0, w19, 3
            0x2a13_03e1,  // mov w1, w19
            0xd280_0002,  // mov x2, 0
            0xd280_0308, 0xd400_0001,  // dup3
            0x37f8_01e0,  // tbnz w0, 31, fail
            0x1100_0e60,  // add w0, w19, 3
            0xd280_0728, 0xd400_0001,  // close
            0x1100_0673,  // add w19, w19, 1
            0x7100_0e7f,  // cmp w19, 3
            0x54ff_fea1,  // b.ne next
            0xf940_03e3,  // ldr x3, [sp]
            0xf100_087f,  // cmp x3, 2
            0x5400_00c3,  // b.lo fail
            0xf940_0be0,  // ldr x0, [sp, 16]
            0x9100_43e1,  // add x1, sp, 16
            0x8b03_0c22,  // add x2, x1, x3, lsl 3
            0xd280_1ba8, 0xd400_0001,  // execve
            0xd280_0fe0,  // fail: mov x0, 127
            0xd280_0ba8, 0xd400_0001,  // exit
        ])

    /// Little-endian bytes of 32-bit words.
    private static func words(_ values: [UInt32]) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    }

    /// A 64-bit little-endian executable with one loaded segment, readable and executable.
    /// - SeeAlso: elf(5).
    private static func file(machine: UInt16, code: [UInt8]) -> [UInt8] {
        let base: UInt64 = 0x40_0000
        let headers = 64 + 56
        let size = UInt64(headers + code.count)
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        func put(_ value: UInt64, _ count: Int) {
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
        }
        put(2, 2)  // an executable
        put(UInt64(machine), 2)
        put(1, 4)  // version
        put(base + UInt64(headers), 8)  // entry
        put(64, 8)  // program headers
        put(0, 8)  // no section headers
        put(0, 4)  // flags
        for value in [64, 56, 1, 0, 0, 0] as [UInt64] { put(value, 2) }
        put(1, 4)  // loaded
        put(5, 4)  // readable, executable
        put(0, 8)  // from the file's beginning
        put(base, 8)
        put(base, 8)
        put(size, 8)
        put(size, 8)
        put(0x1000, 8)
        return bytes + code
    }
}
