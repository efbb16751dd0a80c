internal import CLinuxShims

/// The idle holder as a program of its own: a static executable of about a kilobyte.
///
/// Its code is carried by this program in a section of its own (see `holder.c`, which tells its two modes).
/// It needs no loader and no library, so it runs in any root file system.
package enum HolderImage {
    /// Arguments after the program's name: wait for ever, taking down orphans, until `SIGTERM`.
    package static let holdArguments = ["hold"]

    /// Arguments after the program's name: wait for one byte from a named pipe, then become a program.
    ///
    /// Exit code 125: the pipe ended or failed; 126: the program may not be run; 127: it cannot.
    package static func gateArguments(fifo: String, program: String, arguments: [String]) -> [String] {
        ["gate", fifo, program] + arguments
    }

    /// The executable's bytes: an ELF header, a readable and executable segment of the whole file, and the
    /// word that the stack is not executable. Nothing is writable.
    /// - SeeAlso: elf(5).
    package static func elf() -> [UInt8] {
        let size = Int(sw_holder_size())
        var code = [UInt8](repeating: 0, count: size)
        // SAFETY: the shim writes `size` bytes into an array of that size.
        unsafe code.withUnsafeMutableBufferPointer { place in
            if let base = place.baseAddress { unsafe sw_holder_copy(base) }
        }
        let whole = UInt64(codeOffset + size)
        var image = header(entry: baseAddress + UInt64(codeOffset) + UInt64(sw_holder_entry()))
        // PT_LOAD, readable and executable; the page size of no supported machine is larger than 64 KiB.
        image += segment(type: 1, flags: 5, address: baseAddress, size: whole, alignment: 0x1_0000)
        // PT_GNU_STACK, readable and writable.
        image += segment(type: 0x6474_e551, flags: 6, address: 0, size: 0, alignment: 16)
        image += [UInt8](repeating: 0, count: codeOffset - image.count)
        return image + code
    }

    private static let baseAddress: UInt64 = 0x40_0000
    /// Both headers take 176 bytes; code begins at the next multiple of 64.
    private static let codeOffset = 192

    private static var machine: UInt16 {
        #if arch(x86_64)
            62
        #elseif arch(arm64)
            183
        #else
            #error("the holder knows x86-64 and AArch64")
        #endif
    }

    private static func header(entry: UInt64) -> [UInt8] {
        // Magic, 64 bits, little-endian, version 1, System V.
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        bytes.append(word16: 2)
        bytes.append(word16: machine)
        bytes.append(word32: 1)
        bytes.append(word64: entry)
        // Program headers follow this one; there are no sections.
        bytes.append(word64: 64)
        bytes.append(word64: 0)
        bytes.append(word32: 0)
        for number in [64, 56, 2, 0, 0, 0] as [UInt16] { bytes.append(word16: number) }
        return bytes
    }

    private static func segment(
        type: UInt32, flags: UInt32, address: UInt64, size: UInt64, alignment: UInt64
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(word32: type)
        bytes.append(word32: flags)
        for number in [0, address, address, size, size, alignment] { bytes.append(word64: number) }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(word64 value: UInt64) {
        append(word32: UInt32(truncatingIfNeeded: value))
        append(word32: UInt32(truncatingIfNeeded: value >> 32))
    }
}
