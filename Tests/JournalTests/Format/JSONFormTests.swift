import SandboxModel
import Testing

@testable import Journal

@Suite struct JSONFormTests {
    private func isForm(_ text: String) -> Bool { isForm(Array(text.utf8)) }

    private func isForm(_ bytes: [UInt8]) -> Bool { JSONForm.isObject(bytes.span) }

    @Test(arguments: [
        "{}", "{\"a\":1}", "{ \"a\" : [ ] }", "{\"a\":[1,-2.5e+3,0,0.1E-2,\"\\u00e9\\n\\/\",true,false,null,{}]}",
        "{\"ü\":\"€😀\"}",
    ])
    func accepts(_ text: String) { #expect(isForm(text)) }

    @Test(arguments: [
        "", "{", "}", "[]", "1", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}",
        "{\"a\":1e}", "{\"a\":-}", "{\"a\":+1}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\t\"}",
        "{\"a\":tru}", "{\"a\":nulls}", "{\"a\":[1,]}", "{\"a\":[1 2]}", "{a:1}", "{\"a\":1}x", " {}", "{}\n",
        "{\"a\":\"b}", "{\"a\":NaN}",
    ])
    func refuses(_ text: String) { #expect(!isForm(text)) }

    @Test func refusesWhatIsNotUTF8AndWhatIsTooDeep() {
        let bad = Array("{\"a\":\"".utf8) + [0xC3] + Array("\"}".utf8)
        #expect(!isForm(bad))
        #expect(isForm("{\"a\":" + String(repeating: "[", count: 63) + String(repeating: "]", count: 63) + "}"))
        #expect(!isForm("{\"a\":" + String(repeating: "[", count: 10_000)))
    }

    /// Wherever the strict parser accepts a changed line, so does this, and the other way round but for what
    /// is no matter of form.
    @Test func agreesWithTheParserOnEveryFlip() {
        let line = Array(#"{"seq":12,"a":{"b":[1.5,-3e2,null,true],"c":"x\u0041\n€"},"d":"","e":false}"#.utf8)
        for place in line.indices {
            for bit in 0..<8 {
                var changed = line
                changed[place] ^= 1 << bit
                let parsed = Result { try JSONParser.parse(changed) }
                switch parsed {
                case .success: #expect(isForm(changed), "byte \(place) bit \(bit)")
                case .failure(let error):
                    let isMatterOfForm =
                        !"\(error)".contains("stands twice") && !"\(error)".contains("surrogate")
                        && !"\(error)".contains("out of range")
                    #expect(isForm(changed) != isMatterOfForm, "byte \(place) bit \(bit): \(error)")
                }
            }
        }
    }
}
