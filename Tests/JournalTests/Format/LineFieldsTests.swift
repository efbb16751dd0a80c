import Testing

@testable import Journal

@Suite struct LineFieldsTests {
    private func text(_ range: Range<Int>?, _ line: [UInt8]) -> String? {
        range.map { String(decoding: line[$0], as: UTF8.self) }
    }

    @Test func findsTopLevelStringsOnly() throws {
        let line = Array(
            #"""
            {"seq":1,"details":{"sandbox_id":"inner","list":["}",{"policy":"x"}],"q":"\"}"},"sandbox_id":"outer",\#
            "violation_type":"a_b","severity":null,"policy":"p\"q","timestamp":"t","event":"e","journal":"gap"}
            """#.utf8)
        let fields = try #require(LineFields(line))
        #expect(text(fields.sandbox, line) == "outer")
        #expect(text(fields.type, line) == "a_b")
        #expect(fields.severity == nil)
        #expect(text(fields.policy, line) == #"p\"q"#)
        #expect(text(fields.timestamp, line) == "t")
        #expect(text(fields.event, line) == "e")
        #expect(text(fields.journal, line) == "gap")
    }

    @Test(arguments: [
        "", "{", "}", "[]", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{\"a\":\"b}", "{\"a\":{}",
        "{a:1}",
        "{\"a\":1}}", "{\"a\":1} ", "{,}", "{\"a\":[}", "{\"a\":\"\\", "{\"a\":\"\\\"}", "{\"a\" :1}", "{}x",
    ])
    func refuses(_ text: String) {
        #expect(LineFields(Array(text.utf8)) == nil)
    }

    @Test(arguments: ["{}", "{\"a\":1}", "{\"a\":\"\\\"\"}", "{\"a\":[1,{\"b\":\"]\"}],\"c\":-1.5e3}"])
    func accepts(_ text: String) {
        #expect(LineFields(Array(text.utf8)) != nil)
    }
}
