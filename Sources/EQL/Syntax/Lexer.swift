/// Cuts a query into tokens. Every byte of the text is looked at; what is not EQL becomes a diagnostic,
/// and the lexer goes on behind it.
struct Lexer {
    private let source: SourceText
    private var position = 0
    private(set) var tokens: [Token] = []
    private(set) var diagnostics: [Diagnostic] = []
    private var isAdjacent = false

    init(_ source: SourceText) {
        self.source = source
    }

    /// The tokens of the whole text; the last is `end`.
    static func tokenize(_ source: SourceText) -> (tokens: [Token], diagnostics: [Diagnostic]) {
        var lexer = Lexer(source)
        lexer.run()
        return (lexer.tokens, lexer.diagnostics)
    }

    private mutating func run() {
        while skipBlanks(), position < source.utf8.count { scanToken() }
        add(.end, from: source.utf8.count)
    }

    // MARK: Bytes

    private func peek(_ offset: Int = 0) -> UInt8? {
        let index = position + offset
        return index < source.utf8.count ? source.utf8[index] : nil
    }

    private func follows(_ text: StaticString, at offset: Int = 0) -> Bool {
        let start = position + offset
        guard start + text.utf8CodeUnitCount <= source.utf8.count else { return false }
        return text.withUTF8Buffer { expected in
            expected.indices.allSatisfy { source.utf8[start + $0] == expected[$0] }
        }
    }

    private mutating func add(_ kind: TokenKind, from start: Int) {
        tokens.append(Token(kind: kind, span: Span(start, position), isAdjacent: isAdjacent))
        isAdjacent = true
    }

    private mutating func error(_ message: String, from start: Int, hint: String? = nil) {
        diagnostics.append(.error(message, at: Span(start, max(position, start + 1)), hint: hint))
    }

    /// Skips blanks and comments; block comments nest.
    private mutating func skipBlanks() -> Bool {
        while let byte = peek() {
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                position += 1
            } else if follows("//") {
                while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
            } else if follows("/*") {
                skipBlockComment()
            } else {
                break
            }
            isAdjacent = false
        }
        return true
    }

    private mutating func skipBlockComment() {
        let start = position
        var depth = 0
        while position < source.utf8.count {
            if follows("/*") {
                depth += 1
                position += 2
            } else if follows("*/") {
                depth -= 1
                position += 2
                if depth == 0 { return }
            } else {
                position += 1
            }
        }
        diagnostics.append(
            .error("this comment is never closed", at: Span(start, start + 2), hint: "close it with */"))
    }

    // MARK: Tokens

    private mutating func scanToken() {
        let start = position
        guard let byte = peek() else { return }
        switch byte {
        case UInt8(ascii: "\""): scanString()
        case UInt8(ascii: "'"): refuseSingleQuotes()
        case UInt8(ascii: "`"): scanPath()
        case UInt8(ascii: "0")...UInt8(ascii: "9"): scanNumber()
        case UInt8(ascii: "."):
            if let next = peek(1), Self.isDigit(next) { return scanNumber() }
            position += 1
            error("a name cannot begin with a dot", from: start)
        case UInt8(ascii: "?"): scanQuestionMark()
        default:
            if Self.startsName(byte) { return scanPath() }
            if let symbol = scanSymbol() { return add(.symbol(symbol), from: start) }
            skipForeignBytes(from: start)
        }
    }

    private mutating func scanSymbol() -> Symbol? {
        for length in [2, 1] where position + length <= source.utf8.count {
            let text = String(decoding: source.utf8[position..<position + length], as: UTF8.self)
            if let symbol = Symbol(rawValue: text) {
                position += length
                return symbol
            }
        }
        return nil
    }

    private mutating func skipForeignBytes(from start: Int) {
        position += 1
        while let byte = peek(), byte & 0xC0 == 0x80 { position += 1 }
        let text = source[Span(start, position)]
        let hint: String? =
            switch text {
            case "&": "write 'and'"
            case "!": "write 'not', or '![' for an event that must be missing"
            case "{", "}": "write \"…\" for text and [ ] around the terms of a sequence"
            case ";": "a query has no end mark; remove it"
            case "\\": "a backslash belongs inside a string"
            default: nil
            }
        error("unexpected character '\(text)'", from: start, hint: hint)
    }

    private mutating func scanQuestionMark() {
        let start = position
        position += 1
        if peek() == UInt8(ascii: "\"") || peek() == UInt8(ascii: "'") {
            let quote = peek()
            position += 1
            while let byte = peek(), byte != quote, byte != UInt8(ascii: "\n") { position += 1 }
            if peek() == quote { position += 1 }
            error("raw strings of the form ?\"…\" are no longer part of EQL", from: start, hint: "write \"\"\"…\"\"\"")
            return add(.string(""), from: start)
        }
        add(.symbol(.question), from: start)
    }

    // MARK: Names

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    private static func startsName(_ byte: UInt8) -> Bool {
        isLetter(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "@")
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
    }

    /// A keyword, a name, or segments joined by dots. Keywords are only keywords when they stand alone.
    private mutating func scanPath() {
        let start = position
        var segments: [String] = []
        var isQuoted = false
        repeat {
            if !segments.isEmpty { position += 1 }
            if peek() == UInt8(ascii: "`") {
                isQuoted = true
                guard let segment = scanBackquoted() else { return }
                segments.append(segment)
            } else {
                let segmentStart = position
                while let byte = peek(), Self.continuesName(byte) || position == segmentStart && Self.startsName(byte) {
                    position += 1
                }
                segments.append(source[Span(segmentStart, position)])
            }
        } while peek() == UInt8(ascii: ".") && continuesPath(peek(1))
        if segments.count == 1, !isQuoted {
            if let keyword = Keyword(rawValue: segments[0]) { return add(.keyword(keyword), from: start) }
            return add(.name(segments[0]), from: start)
        }
        for segment in segments where !isQuoted && Keyword(rawValue: segment) != nil {
            error(
                "'\(segment)' is a keyword and cannot be part of a name as it is", from: start,
                hint: "write `\(segment)` in backquotes")
        }
        add(.path(segments.joined(separator: ".")), from: start)
    }

    private func continuesPath(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return Self.startsName(byte) || byte == UInt8(ascii: "`")
    }

    private mutating func scanBackquoted() -> String? {
        let start = position
        position += 1
        var bytes: [UInt8] = []
        while let byte = peek(), byte != UInt8(ascii: "\n") {
            position += 1
            guard byte == UInt8(ascii: "`") else {
                bytes.append(byte)
                continue
            }
            guard peek() == UInt8(ascii: "`") else {
                if bytes.isEmpty { error("a name in backquotes cannot be empty", from: start) }
                return String(decoding: bytes, as: UTF8.self)
            }
            bytes.append(byte)
            position += 1
        }
        error("this name in backquotes is never closed", from: start, hint: "close it with ` on the same line")
        return nil
    }

    // MARK: Numbers

    private mutating func scanNumber() {
        let start = position
        skipDigits()
        var isInteger = true
        if peek() == UInt8(ascii: "."), let next = peek(1), Self.isDigit(next) {
            isInteger = false
            position += 1
            skipDigits()
        }
        if let byte = peek(), byte | 0x20 == UInt8(ascii: "e") {
            let hasSign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
            if let digit = peek(hasSign ? 2 : 1), Self.isDigit(digit) {
                isInteger = false
                position += hasSign ? 2 : 1
                skipDigits()
            }
        }
        let text = source[Span(start, position)]
        if isInteger, let value = Int64(text) { return add(.integer(value), from: start) }
        guard let value = Double(text.hasPrefix(".") ? "0" + text : text), value.isFinite else {
            error("the number \(text) is too large", from: start)
            return add(.integer(0), from: start)
        }
        add(.double(value), from: start)
    }

    private mutating func skipDigits() {
        while let byte = peek(), Self.isDigit(byte) { position += 1 }
    }
}

// MARK: - Strings

extension Lexer {
    private mutating func refuseSingleQuotes() {
        let start = position
        position += 1
        while let byte = peek(), byte != UInt8(ascii: "'"), byte != UInt8(ascii: "\n") { position += 1 }
        if peek() == UInt8(ascii: "'") { position += 1 }
        error("text in single quotes is not part of EQL", from: start, hint: "write it in double quotes")
        add(.string(""), from: start)
    }

    private mutating func scanString() {
        if follows("\"\"\"") { scanRawString() } else { scanEscapedString() }
    }

    /// `"""…"""`: no escapes, one line; up to two quotes before the closing three belong to the value.
    private mutating func scanRawString() {
        let start = position
        position += 3
        let contents = position
        while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            guard follows("\"\"\"") else {
                position += 1
                continue
            }
            var quotes = 3
            while quotes < 5, peek(quotes) == UInt8(ascii: "\"") { quotes += 1 }
            let value = source[Span(contents, position + quotes - 3)]
            position += quotes
            return add(.string(value), from: start)
        }
        error("this string is never closed", from: start, hint: "close it with \"\"\" on the same line")
        add(.string(""), from: start)
    }

    private mutating func scanEscapedString() {
        let start = position
        position += 1
        var bytes: [UInt8] = []
        while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return add(.string(String(decoding: bytes, as: UTF8.self)), from: start)
            case UInt8(ascii: "\\"): scanEscape(into: &bytes)
            default: bytes.append(byte)
            }
        }
        error("this string is never closed", from: start, hint: "close it with \" on the same line")
        add(.string(String(decoding: bytes, as: UTF8.self)), from: start)
    }

    private mutating func scanEscape(into bytes: inout [UInt8]) {
        let start = position - 1
        guard let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") else { return }
        position += 1
        switch byte {
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"): bytes.append(byte)
        case UInt8(ascii: "u"): scanUnicodeEscape(from: start, into: &bytes)
        default:
            while let next = peek(), next & 0xC0 == 0x80 { position += 1 }
            error(
                "unknown escape '\(source[Span(start, position)])'", from: start,
                hint: "write \\\\ for a backslash, or put the text in \"\"\"…\"\"\"")
        }
    }

    /// `\u{…}` with two to eight hexadecimal digits.
    private mutating func scanUnicodeEscape(from start: Int, into bytes: inout [UInt8]) {
        guard peek() == UInt8(ascii: "{") else {
            return error("a Unicode escape is written \\u{…}", from: start, hint: "for example \\u{e9}")
        }
        position += 1
        let digitsStart = position
        while let byte = peek(), Self.isHexadecimal(byte) { position += 1 }
        let digits = source[Span(digitsStart, position)]
        guard peek() == UInt8(ascii: "}") else {
            return error("this Unicode escape is never closed", from: start, hint: "close it with }")
        }
        position += 1
        guard (2...8).contains(digits.utf8.count), let number = UInt32(digits, radix: 16) else {
            return error("a Unicode escape has two to eight hexadecimal digits", from: start)
        }
        guard let scalar = Unicode.Scalar(number) else {
            return error(
                "\\u{\(digits)} is no character", from: start,
                hint: "surrogates and values beyond 10ffff do not stand for characters")
        }
        bytes += Array(String(scalar).utf8)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6
    }
}
