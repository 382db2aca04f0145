import EQL

extension TOMLReader {
    // MARK: Strings

    mutating func readString() throws(TOMLError) -> TOMLString {
        let quote = bytes[position]
        if peek(1) == quote, peek(2) == quote {
            return try readMultiLineString()
        }
        return try readSingleLineString()
    }

    mutating func readSingleLineString() throws(TOMLError) -> TOMLString {
        let start = position
        let quote = bytes[position]
        position += 1
        var builder = TOMLStringBuilder(at: position)
        while let byte = peek() {
            if byte == quote {
                position += 1
                return builder.finish()
            }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                try readEscape(into: &builder)
            } else {
                try copy(byte, into: &builder)
            }
        }
        throw TOMLError(
            message: "this string is not closed", span: Span(start, start + 1),
            hint: "close it on the same line, or use three quotes for several lines")
    }

    /// Line breaks are normalised to LF, so that a checkout with CRLF holds the same rules.
    private mutating func readMultiLineString() throws(TOMLError) -> TOMLString {
        let start = position
        let quote = bytes[position]
        position += 3
        _ = consumeLineBreak()
        var builder = TOMLStringBuilder(at: position)
        while let byte = peek() {
            if byte == quote, peek(1) == quote, peek(2) == quote {
                // Up to two quotes may stand directly before the closing three.
                var extra = 0
                while extra < 2, peek(3) == quote {
                    try copy(quote, into: &builder)
                    extra += 1
                }
                position += 3
                return builder.finish()
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                if !skipContinuation() { try readEscape(into: &builder) }
                builder.resume(at: position)
            } else if byte == UInt8(ascii: "\r"), peek(1) == UInt8(ascii: "\n") {
                builder.resume(at: position + 1)
                position += 2
                builder.append(UInt8(ascii: "\n"))
            } else if byte == UInt8(ascii: "\n") {
                position += 1
                builder.append(byte)
            } else {
                try copy(byte, into: &builder)
            }
        }
        throw TOMLError(message: "this string is not closed", span: Span(start, start + 3))
    }

    private mutating func copy(_ byte: UInt8, into builder: inout TOMLStringBuilder) throws(TOMLError) {
        guard byte == UInt8(ascii: "\t") || (byte >= 0x20 && byte != 0x7F) else {
            throw error(
                "control characters are not allowed in a string", hint: "write it as an escape in a \"…\" string")
        }
        builder.append(byte)
        position += 1
    }

    /// A backslash at the end of a line drops the break and all blank space behind it.
    private mutating func skipContinuation() -> Bool {
        var ahead = 1
        while let byte = peek(ahead), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { ahead += 1 }
        if peek(ahead) == UInt8(ascii: "\r") { ahead += 1 }
        guard peek(ahead) == UInt8(ascii: "\n") else { return false }
        while let byte = peek(ahead), [UInt8(ascii: " "), 0x09, 0x0A, 0x0D].contains(byte) { ahead += 1 }
        position += ahead
        return true
    }

    private mutating func readEscape(into builder: inout TOMLStringBuilder) throws(TOMLError) {
        let start = position
        position += 1
        let escape = peek()
        position += 1
        switch escape {
        case UInt8(ascii: "b"): builder.append(0x08)
        case UInt8(ascii: "t"): builder.append(0x09)
        case UInt8(ascii: "n"): builder.append(0x0A)
        case UInt8(ascii: "f"): builder.append(0x0C)
        case UInt8(ascii: "r"): builder.append(0x0D)
        case UInt8(ascii: "\""): builder.append(0x22)
        case UInt8(ascii: "\\"): builder.append(0x5C)
        case UInt8(ascii: "u"): builder.append(try readScalarValue(digits: 4, at: start))
        case UInt8(ascii: "U"): builder.append(try readScalarValue(digits: 8, at: start))
        default:
            throw TOMLError(
                message: "this escape does not exist in TOML", span: Span(start, position),
                hint: "use a '…' or '''…''' string, in which backslashes are plain characters")
        }
        builder.resume(at: position)
    }

    private mutating func readScalarValue(digits: Int, at start: Int) throws(TOMLError) -> Unicode.Scalar {
        guard position + digits <= bytes.count,
            bytes[position..<position + digits].allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
            let value = UInt32(String(decoding: bytes[position..<position + digits], as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(value)
        else {
            throw TOMLError(message: "this escape is not a Unicode character", span: Span(start, position))
        }
        position += digits
        return scalar
    }

    // MARK: Booleans, numbers, dates

    mutating func readScalar() throws(TOMLError) -> TOMLValue.Kind {
        let start = position
        while let byte = peek(), Self.isScalar(byte) { position += 1 }
        // One blank may separate a date from its time: 2024-05-01 12:00:00.
        if position - start == 10, bytes[start + 4] == UInt8(ascii: "-"), peek() == UInt8(ascii: " "),
            let digit = peek(1), UnicodeScalar(digit).properties.numericType != nil
        {
            position += 1
            while let byte = peek(), Self.isScalar(byte) { position += 1 }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf": return .float(.infinity)
        case "-inf": return .float(-.infinity)
        case "nan", "+nan", "-nan": return .float(.nan)
        default: break
        }
        if let match = Self.number(text) { return match }
        if text.wholeMatch(of: Self.datePattern()) != nil { return .date(text) }
        throw TOMLError(
            message: text.isEmpty ? "expected a value" : "\"\(text)\" is not a TOML value", span: Span(start, position),
            hint: text.isEmpty ? nil : "text needs quotes")
    }

    private static func isScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private static func number(_ text: String) -> TOMLValue.Kind? {
        // What most numbers are, before patterns are made for the rest.
        if text == "0" || text.first != "0", !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
            return Int64(text).map { .integer($0) }
        }
        let plain = text.filter { $0 != "_" }
        if text.wholeMatch(of: integerPattern()) != nil { return Int64(plain).map { .integer($0) } }
        if text.wholeMatch(of: floatPattern()) != nil { return Double(plain).map { .float($0) } }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
            guard !text.dropFirst(2).hasPrefix("_"), !text.hasSuffix("_"), !text.contains("__") else { return nil }
            let digits = plain.dropFirst(2)
            guard digits.first?.isHexDigit == true else { return nil }
            return Int64(digits, radix: radix).map { .integer($0) }
        }
        return nil
    }

    private static func integerPattern() -> Regex<Substring> { /[+\-]?(?:0|[1-9](?:_?[0-9])*)/ }

    private static func floatPattern() -> Regex<Substring> {
        /[+\-]?(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+\-]?[0-9](?:_?[0-9])*)?/
    }

    /// A date, a time or both; only the shape is checked.
    private static func datePattern() -> Regex<Substring> {
        /(?:\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+\-]\d\d:\d\d)?)?|\d\d:\d\d:\d\d(?:\.\d+)?)/
    }
}

/// Collects a string and the places its bytes come from.
struct TOMLStringBuilder {
    private var bytes: [UInt8] = []
    private var runs: [TOMLString.Run]

    init(at document: Int) {
        runs = [TOMLString.Run(value: 0, document: document)]
    }

    mutating func append(_ byte: UInt8) {
        bytes.append(byte)
    }

    mutating func append(_ scalar: Unicode.Scalar) {
        bytes.append(contentsOf: String(scalar).utf8)
    }

    /// What is appended next stands at `document`.
    mutating func resume(at document: Int) {
        if runs.last?.value == bytes.count { runs.removeLast() }
        runs.append(TOMLString.Run(value: bytes.count, document: document))
    }

    func finish() -> TOMLString {
        TOMLString(text: String(decoding: bytes, as: UTF8.self), runs: runs)
    }
}
