import SandboxModel
import Testing

/// JSON as it is written.
@Suite struct JSONValueTests {
    @Test("Members keep their order, and numbers their kind")
    func writing() {
        let value: JSONValue = ["z": 1, "a": 2.5, "n": nil, "l": [true, "x"], "whole": 3.0]
        #expect(value.text == #"{"z":1,"a":2.5,"n":null,"l":[true,"x"],"whole":3.0}"#)
        #expect(JSONValue.object(["b": 1, "a": 2]).text == #"{"b":1,"a":2}"#)
        #expect(JSONValue.optional(nil as String?).text == "null")
        #expect(JSONValue.optional(5 as Int64?).text == "5")
        #expect(JSONValue.strings(["a", "b"]).text == #"["a","b"]"#)
    }

    @Test("Every character is written so that a strict reader takes it back")
    func characters() throws {
        for value in Array(UInt32(0)...0x2FF) + [0x2028, 0xFFFD, 0xFFFF, 0x1F600, 0x10FFFF] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = "a\(scalar)b"
            let bytes = JSONValue.string(text).bytes
            #expect(!bytes.contains { $0 < 0x20 || $0 == 0x7F })
            #expect(try JSONParser.parse(bytes).string.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test(
        "Numbers come back as they were",
        arguments: [
            0, -0.5, 1e15, 1e16, 123_456_789.125, 1e300, Double.leastNonzeroMagnitude, -1e14, 0.1,
            Double.greatestFiniteMagnitude,
        ])
    func numbers(value: Double) throws {
        #expect(try JSONParser.parse(JSONValue.number(value).bytes).double == value)
    }

    @Test("What JSON has no word for becomes null", arguments: [Double.nan, .infinity, -.infinity])
    func notNumbers(value: Double) {
        #expect(JSONValue.number(value).text == "null")
    }

    @Test("Accessors answer for their own type only")
    func accessors() {
        let value: JSONValue = ["s": "x", "i": 3, "n": 1.5, "b": true, "a": [1], "o": [:]]
        #expect(value["s"]?.string == "x" && value["i"]?.string == nil)
        #expect(value["i"]?.integer == 3 && value["n"]?.integer == nil)
        #expect(value["i"]?.double == 3 && value["s"]?.double == nil)
        #expect(value["b"]?.bool == true && value["a"]?.bool == nil)
        #expect(value["a"]?.array == [1] && value["s"]?.array == nil)
        #expect(value["o"]?.members == [] && value["a"]?.members == nil)
        #expect(value["missing"] == nil && value["s"]?["x"] == nil)
    }
}
