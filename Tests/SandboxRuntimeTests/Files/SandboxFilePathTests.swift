import LinuxSystem
import Testing

@testable import SandboxRuntime

@Suite struct SandboxFilePathTests {
    @Test(arguments: [
        ("/", [], true), ("/work", ["work"], false), ("/work/", ["work"], true), ("//a///b", ["a", "b"], false),
        ("/a/./b", ["a", "b"], false), ("/a/.", ["a"], true), ("/a/../b", ["a", "..", "b"], false),
        ("/a/...", ["a", "..."], false), ("/ a\n", [" a\n"], false),
    ])
    func takesAPathApart(_ text: String, _ components: [String], _ endsInSlash: Bool) throws {
        let path = try SandboxFilePath(Array(text.utf8))
        #expect(path.components == components.map { Array($0.utf8) })
        #expect(path.endsInSlash == endsInSlash)
    }

    @Test(arguments: [
        "", "work", "./work", "/a\0b", "/" + String(repeating: "a", count: 256), String(repeating: "/a", count: 129),
        String(repeating: "/", count: 4096), "~/x",
    ])
    func refusesWhatCannotBeAPath(_ text: String) {
        let error = #expect(throws: RuntimeError.self) { try SandboxFilePath(Array(text.utf8)) }
        #expect(error?.code == .invalid)
    }

    @Test func namesNeedNotBeText() throws {
        let path = try SandboxFilePath([0x2F, 0xFF, 0xFE, 0x2F, 0x80])
        #expect(path.components == [[0xFF, 0xFE], [0x80]])
        #expect(path.whole.bytes == [0x2F, 0xFF, 0xFE, 0x2F, 0x80])
    }
}

@Suite struct SandboxFileListingTests {
    @Test func pagesTellEachNameOnce() throws {
        let names = (0..<57).map { Array("n\($0)".utf8) } + [[0xFF], [0x01]]
        for limit in 1...60 {
            var told: [[UInt8]] = []
            var cursor: String?
            repeat {
                let after = try SandboxFileListing.name(ofCursor: cursor)
                let page = SandboxFileListing.page(of: names.shuffled(), after: after, limit: limit)
                told += page.page
                cursor = page.cursor
            } while cursor != nil
            #expect(told == names.sorted { $0.lexicographicallyPrecedes($1) }, "limit \(limit)")
        }
    }

    @Test(arguments: ["", "a", "zz", "AB", "6g", String(repeating: "61", count: 256), "61 "])
    func aCursorOfAnotherKindIsInvalid(_ cursor: String) {
        let error = #expect(throws: RuntimeError.self) { try SandboxFileListing.name(ofCursor: cursor) }
        #expect(error?.code == .invalid)
    }

    @Test func everyByteSurvivesACursor() throws {
        let name = (1...255).map { UInt8($0) }
        #expect(try SandboxFileListing.name(ofCursor: SandboxFileListing.cursor(ofName: name)) == name)
    }
}
