/// Writes requests.
///
/// - SeeAlso: RFC 9112, section 3.
enum RequestEncoder {
    /// Appends a whole request with its body.
    ///
    /// - Parameters:
    ///   - target: Origin-form, already encoded.
    ///   - host: The value of the Host field, unless `headers` has one.
    ///   - headers: Further fields; framing fields among them are left out, `Connection` is kept.
    /// - Returns: `false`, with nothing appended, when the target holds a byte that would break the line.
    static func append(
        method: HTTPMethod, target: String, host: String, headers: HTTPHeaders, body: [UInt8],
        to output: inout [UInt8]
    ) -> Bool {
        guard target.utf8.first == 0x2F, target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return false
        }
        let name = method.description.utf8
        guard !name.isEmpty, name.allSatisfy({ ByteSet.token.contains($0) }) else { return false }
        output.append(contentsOf: name)
        output.append(0x20)
        output.append(contentsOf: target.utf8)
        output.append(" HTTP/1.1\r\n")
        var fields = headers
        if !fields.contains("host") { fields.add("Host", host) }
        fields.remove("content-length")
        fields.remove("transfer-encoding")
        for (name, value) in fields {
            output.append(contentsOf: name.utf8)
            output.append(": ")
            output.append(contentsOf: value.utf8)
            output.append("\r\n")
        }
        if !body.isEmpty || method == .post || method == .put || method == .patch {
            output.append("Content-Length: ")
            output.append(decimal: body.count)
            output.append("\r\n")
        }
        output.append("\r\n")
        output.append(contentsOf: body)
        return true
    }
}
