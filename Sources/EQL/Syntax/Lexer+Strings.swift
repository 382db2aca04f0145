// Text: `"…"` with escapes, `"""…"""` without, and the forms that are refused.

extension Lexer {
    mutating func refuseSingleQuotes() {
        let start = position
        position += 1
        let text = skipQuoted(by: UInt8(ascii: "'"))
        error("text in single quotes is not part of EQL", from: start, hint: "write it in double quotes")
        add(.string(text), from: start)
    }

    /// `?"…"` and `?'…'`, the raw strings of old versions.
    mutating func refuseQuestionMarkString() {
        let start = position
        position += 2
        let text = skipQuoted(by: source.utf8[start + 1])
        error(
            "raw strings of the form ?\"…\" are no longer part of EQL", from: start,
            hint: "write \"\"\"…\"\"\", or remove the ?")
        add(.string(text), from: start)
    }

    /// Skips to behind the closing quote, if there is one on this line.
    private mutating func skipQuoted(by quote: UInt8) -> String {
        let start = position
        skipLine(to: quote)
        let text = source[Span(start, position)]
        if peek() == quote { position += 1 }
        return text
    }

    mutating func scanString() {
        if follows("\"\"\"") { scanRawString() } else { scanEscapedString() }
    }

    /// `"""…"""`: no escapes, one line; up to two quotes before the closing three belong to the value.
    private mutating func scanRawString() {
        let start = position
        position += 3
        let contents = position
        while let byte = peek(), !endsLine(byte) {
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
        while let byte = peek(), !endsLine(byte) {
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
        guard let byte = peek(), !endsLine(byte) else { return }
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
        while let byte = peek(), Self.isHexadecimalDigit(byte) { position += 1 }
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
        bytes.append(contentsOf: String(scalar).utf8)
    }

    private static func isHexadecimalDigit(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6
    }
}
