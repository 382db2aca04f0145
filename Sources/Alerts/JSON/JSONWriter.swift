/// Writes JSON (RFC 8259) as bytes: no blanks, commas where they belong, every text escaped.
///
/// Besides what the RFC demands, U+2028 and U+2029 are escaped: they end a line in JavaScript and in some log
/// readers, and an alert is one line.
public struct JSONWriter {
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    public init() {}

    // MARK: Structure

    public mutating func object(_ members: (inout JSONWriter) -> Void) {
        enclose("{", "}", members)
    }

    public mutating func array(_ elements: (inout JSONWriter) -> Void) {
        enclose("[", "]", elements)
    }

    public mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func enclose(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ content: (inout JSONWriter) -> Void
    ) {
        beginValue()
        bytes.append(UInt8(ascii: open))
        needsComma = false
        content(&self)
        bytes.append(UInt8(ascii: close))
        needsComma = true
    }

    private mutating func beginValue() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    // MARK: Values

    public mutating func string(_ text: String) {
        beginValue()
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars { append(scalar) }
        bytes.append(UInt8(ascii: "\""))
    }

    public mutating func integer(_ number: Int64) {
        beginValue()
        bytes.append(contentsOf: String(number).utf8)
    }

    /// Whole numbers are written without a fraction; what JSON has no number for becomes `null`.
    public mutating func double(_ number: Double) {
        if let whole = Int64(exactly: number) { return integer(whole) }
        guard number.isFinite else { return null() }
        beginValue()
        bytes.append(contentsOf: number.description.utf8)
    }

    public mutating func boolean(_ value: Bool) {
        beginValue()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    public mutating func null() {
        beginValue()
        bytes.append(contentsOf: "null".utf8)
    }

    /// Copies a value that is JSON already; the caller vouches for it.
    public mutating func json(_ value: some Sequence<UInt8>) {
        beginValue()
        bytes.append(contentsOf: value)
    }

    public mutating func strings(_ texts: some Sequence<String>) {
        array { writer in
            for text in texts { writer.string(text) }
        }
    }

    // MARK: Escaping

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": append("\\\"")
        case "\\": append("\\\\")
        case "\n": append("\\n")
        case "\r": append("\\r")
        case "\t": append("\\t")
        case "\u{2028}": append("\\u2028")
        case "\u{2029}": append("\\u2029")
        case "\u{0}"..<"\u{20}":
            let digits = String(scalar.value, radix: 16)
            bytes.append(contentsOf: (digits.utf8.count == 1 ? "\\u000\(digits)" : "\\u00\(digits)").utf8)
        default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    private mutating func append(_ escape: StaticString) {
        escape.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }
}
