/// A range of UTF-8 offsets in a ``SourceText``.
public struct Span: Hashable, Sendable {
    public var lower: Int
    public var upper: Int

    public init(_ lower: Int, _ upper: Int) {
        self.lower = lower
        self.upper = upper
    }

    /// The smallest span that covers both.
    public func union(_ other: Span) -> Span {
        Span(Swift.min(lower, other.lower), Swift.max(upper, other.upper))
    }
}

/// The text of one query, with the places diagnostics point at.
public struct SourceText: Sendable {
    public let text: String
    public let utf8: [UInt8]

    public init(_ text: String) {
        self.text = text
        utf8 = Array(text.utf8)
    }

    /// A place a person can find: both numbers count from 1, columns count code points.
    public struct Position: Hashable, Sendable {
        public let line: Int
        public let column: Int
    }

    /// The position of a UTF-8 offset; offsets past the end give the end.
    public func position(of offset: Int) -> Position {
        let end = Swift.min(Swift.max(offset, 0), utf8.count)
        var line = 1
        var column = 1
        for byte in utf8[..<end] {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return Position(line: line, column: column)
    }

    /// The text of line `number`, counted from 1, without its line break.
    public func line(_ number: Int) -> String {
        let lines = utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard number >= 1, number <= lines.count else { return "" }
        let line = lines[number - 1]
        return String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
    }

    /// The text of a span, or of as much of it as there is.
    public subscript(span: Span) -> String {
        let lower = Swift.min(Swift.max(span.lower, 0), utf8.count)
        let upper = Swift.min(Swift.max(span.upper, lower), utf8.count)
        return String(decoding: utf8[lower..<upper], as: UTF8.self)
    }
}
