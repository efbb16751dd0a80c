/// What a reader found at the beginning of the bytes it was given.
///
/// The caller keeps the bytes. After each step it drops as many as the step says and calls again with the
/// rest; after ``needMore`` it calls again when more have arrived behind the same bytes.
public enum MessageStep: Sendable, Equatable {
    /// Nothing more can be said about these bytes. The same bytes, and more, are wanted.
    case needMore
    /// The head is complete and can be read from the reader; drop `end` bytes.
    case head(end: Int)
    /// These bytes belong to the body; drop all up to the end of the range.
    case body(Range<Int>)
    /// Framing was read; drop `end` bytes.
    case framing(end: Int)
    /// The message is complete; drop so many bytes. The reader is ready for the next message.
    case end(at: Int)
    /// The message is refused. The reader stays in this state.
    case reject(HTTPRejection)
}
