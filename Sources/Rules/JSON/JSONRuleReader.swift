import EQL

/// Reads one line of a rule export (RFC 8259) into the tree that TOML rule files are read into.
///
/// A `null` member is an absent key, as Kibana means it; a second member of one name is an error, because
/// which of the two Kibana would take is nobody's guess.
struct JSONRuleReader {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private static let maximumDepth = 64

    /// The object that `bytes` holds.
    static func read(_ bytes: [UInt8]) throws(TOMLError) -> TOMLTable {
        var reader = JSONRuleReader(bytes: bytes)
        reader.skipBlanks()
        guard reader.peek() == UInt8(ascii: "{") else {
            throw reader.error("a line of a rule export is one JSON object")
        }
        let table = try reader.readObject()
        reader.skipBlanks()
        guard reader.position == bytes.count else {
            throw reader.error("the object ends before the line does", hint: "write one rule per line")
        }
        return table
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    // MARK: Values

    private mutating func readValue() throws(TOMLError) -> TOMLValue? {
        skipBlanks()
        let start = position
        let kind: TOMLValue.Kind?
        switch peek() {
        case UInt8(ascii: "{"): kind = .table(try readObject())
        case UInt8(ascii: "["): kind = .array(try readArray())
        case UInt8(ascii: "\""): kind = .string(try readString())
        default: kind = try readWord()
        }
        return kind.map { TOMLValue(kind: $0, span: Span(start, position)) }
    }

    private mutating func readObject() throws(TOMLError) -> TOMLTable {
        let table = TOMLTable(origin: .inline, span: Span(position, position + 1))
        try readList(closedBy: UInt8(ascii: "}")) { reader throws(TOMLError) in
            let start = reader.position
            guard reader.peek() == UInt8(ascii: "\"") else { throw reader.error("expected a name in quotes") }
            let key = try reader.readString().text
            let keySpan = Span(start, reader.position)
            reader.skipBlanks()
            guard reader.take(UInt8(ascii: ":")) else { throw reader.error("expected : after a name") }
            guard let value = try reader.readValue() else { return }
            guard table[key] == nil else {
                throw TOMLError(message: "\"\(key)\" is defined twice", span: keySpan)
            }
            table.insert(value, key: key, keySpan: keySpan)
        }
        return table
    }

    private mutating func readArray() throws(TOMLError) -> [TOMLValue] {
        var values: [TOMLValue] = []
        try readList(closedBy: UInt8(ascii: "]")) { reader throws(TOMLError) in
            if let value = try reader.readValue() { values.append(value) }
        }
        return values
    }

    /// The elements of an object or array, separated by commas.
    private mutating func readList(
        closedBy close: UInt8, _ readElement: (inout JSONRuleReader) throws(TOMLError) -> Void
    ) throws(TOMLError) {
        guard depth < Self.maximumDepth else { throw error("the object is nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        position += 1
        skipBlanks()
        if take(close) { return }
        while true {
            skipBlanks()
            try readElement(&self)
            skipBlanks()
            if take(close) { return }
            guard take(UInt8(ascii: ",")) else {
                throw error("expected , or \(Character(UnicodeScalar(close)))")
            }
        }
    }

    /// A number, `true`, `false` or, as nil, `null`.
    private mutating func readWord() throws(TOMLError) -> TOMLValue.Kind? {
        let start = position
        while let byte = peek(), !Self.endsWord(byte) { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        switch word {
        case "null": return nil
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default: break
        }
        let isNumber = word.wholeMatch(of: /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+\-]?[0-9]+)?/) != nil
        if isNumber, let integer = Int64(word) { return .integer(integer) }
        if isNumber, let double = Double(word) { return .float(double) }
        throw TOMLError(
            message: word.isEmpty ? "expected a value" : "\"\(word)\" is not a JSON value",
            span: Span(start, max(position, start + 1)))
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"), UInt8(ascii: "\""):
            true
        default: false
        }
    }

    // MARK: Strings

    private mutating func readString() throws(TOMLError) -> TOMLString {
        let start = position
        position += 1
        var builder = TOMLStringBuilder(at: position)
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return builder.finish()
            case UInt8(ascii: "\\"):
                try readEscape(into: &builder)
            case 0..<0x20:
                throw error("control characters are not allowed in a string", hint: "write it as an escape")
            default:
                builder.append(byte)
                position += 1
            }
        }
        throw TOMLError(message: "this string is not closed", span: Span(start, start + 1))
    }

    private mutating func readEscape(into builder: inout TOMLStringBuilder) throws(TOMLError) {
        let start = position
        let escape = peek(1)
        position += 2
        switch escape {
        case UInt8(ascii: "b"): builder.append(0x08)
        case UInt8(ascii: "t"): builder.append(0x09)
        case UInt8(ascii: "n"): builder.append(0x0A)
        case UInt8(ascii: "f"): builder.append(0x0C)
        case UInt8(ascii: "r"): builder.append(0x0D)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): builder.append(escape ?? 0)
        case UInt8(ascii: "u"): builder.append(try readScalar(at: start))
        default: throw TOMLError(message: "this escape does not exist in JSON", span: Span(start, start + 2))
        }
        builder.resume(at: position)
    }

    /// The digits of `\uXXXX`, or of a pair of them for a character beyond U+FFFF.
    private mutating func readScalar(at start: Int) throws(TOMLError) -> Unicode.Scalar {
        let first = try readUnit(at: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first & 0xFC00 == 0xD800, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let second = try readUnit(at: start)
            if second & 0xFC00 == 0xDC00,
                let scalar = Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + second & 0x3FF)
            {
                return scalar
            }
        }
        throw TOMLError(message: "this escape is half a character", span: Span(start, position))
    }

    private mutating func readUnit(at start: Int) throws(TOMLError) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw TOMLError(message: "\\u needs four hexadecimal digits", span: Span(start, start + 2)) }
        position += 4
        return unit
    }

    // MARK: Bytes

    private func peek(_ ahead: Int = 0) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private func error(_ message: String, hint: String? = nil) -> TOMLError {
        TOMLError(message: message, span: Span(position, position + 1), hint: hint)
    }
}
