import Glibc
import LinuxSystem
package import SandboxModel

extension SandboxFileTarget {
    /// Reads a whole file. Blocks.
    /// - Throws: `tooLarge` past `limit` bytes, `conflict` for a folder or a process that is gone, `denied` by the
    ///   file's own permissions.
    func readWhole(limit: Int) throws(RuntimeError) -> [UInt8] {
        guard sizeBytes <= UInt64(max(0, limit)) else { throw tooLarge(limit) }
        let bytes = try asUser("read") { () throws(SystemError) -> [UInt8]? in
            guard let file = try reopen(.file, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY) else { return nil }
            return try file.readPrefix(limit: limit + 1)
        }
        guard let bytes else { throw conflict("read", "is not a file that can be read") }
        // It may have grown since it was opened.
        guard bytes.count <= limit else { throw tooLarge(limit) }
        return bytes
    }

    private func tooLarge(_ limit: Int) -> RuntimeError {
        RuntimeError(.tooLarge, operation: "read", detail: "\(shown): has more than \(limit) bytes")
    }

    /// Opens what is held once more, for more than walking. The kernel checks the user's permission here.
    /// - Returns: `nil` when the target is of another kind.
    private func reopen(_ wanted: Kind, flags: Int32) throws(SystemError) -> Descriptor? {
        guard kind == wanted, case .itself(let held) = place else { return nil }
        let own = try Descriptor.openAbsolute("/proc/self/fd", flags: Descriptor.pathOnly | O_DIRECTORY)
        return try Descriptor.open(at: own, path: RawPath("\(held.descriptor.rawValue)"), flags: flags)
    }

    /// Lists a page of a folder, in the order of the names' bytes. Blocks.
    ///
    /// A name that is there during the whole of a listing is told exactly once, whatever else changes.
    /// - Parameters:
    ///   - limit: 1 to 1000 entries; more counts as 1000.
    ///   - cursor: What the page before ended with; `nil` for the first page.
    /// - Throws: `tooLarge` for a folder of more than ``SandboxFileListing/folderLimit`` names, `invalid` for a
    ///   cursor that was not made here, `conflict` for what is no folder.
    func listPage(limit: Int, cursor: String?) throws(RuntimeError) -> SandboxFileListing {
        let after = try SandboxFileListing.name(ofCursor: cursor)
        let count = max(1, min(limit, 1000))
        let listing = try asUser("list") { () throws(SystemError) -> SandboxFileListing? in
            guard let folder = try reopen(.folder, flags: O_RDONLY | O_DIRECTORY | O_NONBLOCK) else { return nil }
            let all = try folder.list(limit: SandboxFileListing.folderLimit)
            guard !all.isCut else {
                throw SystemError(errno: EFBIG, operation: "list")
            }
            let names = SandboxFileListing.page(of: all.entries.map(\.name), after: after, limit: count)
            var listing = SandboxFileListing(entries: [], cursor: names.cursor)
            for name in names.page {
                // What vanished in between is not there.
                if let status = try SandboxFileListing.status(of: name, in: folder) {
                    listing.entries.append(SandboxFileEntry(name: name, status: status))
                }
            }
            return listing
        }
        guard let listing else { throw conflict("list", "is not a folder") }
        return listing
    }
}

/// One name in a folder of a sandbox.
package struct SandboxFileEntry: Sendable, Hashable {
    /// What a name stands for; a link is not followed.
    package enum Kind: String, Sendable, Hashable {
        case file, folder, link, other
    }

    /// Any bytes but `/` and NUL.
    package var name: [UInt8]
    package var kind: Kind
    /// Bytes of a file, 0 for anything else.
    package var sizeBytes: UInt64
    /// The lower twelve bits of the mode.
    package var mode: UInt32
    /// When the content last changed.
    package var modified: Timestamp

    init(name: [UInt8], status: FileStatus) {
        self.name = name
        kind =
            switch status.kind {
            case .regular: .file
            case .directory: .folder
            case .symbolicLink: .link
            default: .other
            }
        sizeBytes = status.kind == .regular ? status.sizeBytes : 0
        mode = status.permissions
        modified = Timestamp(milliseconds: Int64((Double(status.modifiedNanoseconds) / 1e6).rounded(.down)))
    }

    /// The name where it is UTF-8; otherwise the API shows the bytes.
    package var text: String? { String(validating: name, as: UTF8.self) }
}

/// A page of a folder.
package struct SandboxFileListing: Sendable, Hashable {
    package var entries: [SandboxFileEntry]
    /// Asks for the next page; `nil` after the last.
    package var cursor: String?

    /// Names that a folder may have to be listed at all.
    package static let folderLimit = 100_000

    /// The names of one page, and the cursor of the next.
    static func page(
        of names: [[UInt8]], after: [UInt8]?, limit: Int
    ) -> (page: ArraySlice<[UInt8]>, cursor: String?) {
        var rest = names
        if let after { rest.removeAll { !after.lexicographicallyPrecedes($0) } }
        rest.sort { $0.lexicographicallyPrecedes($1) }
        let page = rest.prefix(limit)
        return (page, page.count < rest.count ? page.last.map(cursor(ofName:)) : nil)
    }

    /// A cursor is the last name of a page in hexadecimal.
    static func cursor(ofName name: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(name.count * 2)
        for byte in name { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a cursor back.
    /// - Throws: `invalid` for anything that ``cursor(ofName:)`` does not make.
    static func name(ofCursor cursor: String?) throws(RuntimeError) -> [UInt8]? {
        guard let cursor else { return nil }
        let digits = Array(cursor.utf8)
        var name: [UInt8] = []
        guard digits.count % 2 == 0, (2...510).contains(digits.count) else { throw badCursor }
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { throw badCursor }
            name.append(high << 4 | low)
        }
        return name
    }

    private static var badCursor: RuntimeError {
        RuntimeError(.invalid, operation: "list", detail: "the cursor was not made by a listing")
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }

    fileprivate static func status(
        of name: [UInt8], in folder: borrowing Descriptor
    ) throws(SystemError) -> FileStatus? {
        do throws(SystemError) {
            return try folder.status(of: RawPath(bytes: name))
        } catch {
            guard error.errno == ENOENT else { throw error }
            return nil
        }
    }
}
