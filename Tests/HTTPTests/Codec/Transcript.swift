@testable import HTTP

/// Everything that a reader said about a stream of requests, in a form that does not depend on how the stream
/// was cut.
struct Transcript: Equatable {
    /// One message, complete or as far as it came.
    struct Message: Equatable {
        var method: HTTPMethod
        var rawPath: String
        var path: [String]
        var query: [HTTPQueryParameter]
        var authority: String?
        var headers: HTTPHeaders
        var minorVersion: Int
        var keepsAlive: Bool
        var body: [UInt8] = []
        var trailers = HTTPHeaders()
        var isComplete = false

        init(_ head: HTTPRequestHead) {
            method = head.method
            rawPath = head.rawPath
            path = head.path
            query = head.query
            authority = head.authority
            headers = head.headers
            minorVersion = head.minorVersion
            keepsAlive = head.keepsAlive
        }
    }

    var messages: [Message] = []
    var rejection: HTTPRejection?
    /// Bytes that wait for more.
    var leftover = 0

    /// Feeds pieces to a fresh reader.
    init(of pieces: [ArraySlice<UInt8>], limits: HTTPLimits = HTTPLimits()) {
        var reader = RequestReader(limits: limits)
        var buffer: [UInt8] = []
        for piece in pieces {
            buffer += piece
            while rejection == nil {
                guard let dropped = take(reader.advance(over: buffer.span), reader, buffer) else { break }
                buffer.removeFirst(dropped)
            }
        }
        leftover = rejection == nil ? buffer.count : 0
    }

    /// Feeds everything at once.
    init(of text: String, limits: HTTPLimits = HTTPLimits()) {
        self.init(of: [Array(text.utf8)[...]], limits: limits)
    }

    private mutating func take(_ step: MessageStep, _ reader: RequestReader, _ buffer: [UInt8]) -> Int? {
        switch step {
        case .needMore:
            return nil
        case .head(let end):
            messages.append(Message(reader.head))
            return end
        case .body(let range):
            messages[messages.count - 1].body += buffer[range]
            return range.upperBound
        case .framing(let end):
            return end
        case .end(let end):
            messages[messages.count - 1].trailers = reader.trailers
            messages[messages.count - 1].isComplete = true
            return end
        case .reject(let rejection):
            self.rejection = rejection
            return nil
        }
    }
}

/// All ways to cut bytes once, and the way to cut them everywhere.
func everyCut(_ bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
    let once = (0...bytes.count).map { [bytes[..<$0], bytes[$0...]] }
    return once + [bytes.indices.map { bytes[$0...$0] }]
}

/// Numbers that look random and are the same in every run.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
