/// Reads JSON (RFC 8259) strictly, over bytes that may be anything.
///
/// Originals are copied into alerts as they are written, and decoding only looks at the fields rules ask for.
/// What is copied is therefore read once more, in full: a record must not be able to break the alert about it.
struct JSONReader {
    let bytes: [UInt8]
    var position: Int

    /// Objects and arrays inside each other.
    static let maximumDepth = 256

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// The one value `bytes` holds, without blanks between tokens; nil when they are not JSON.
    ///
    /// Tokens stay as they are written, with one exception: the escape of half a surrogate pair, which strict
    /// readers refuse, becomes `\ufffd`.
    static func minify(_ bytes: [UInt8]) -> [UInt8]? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var reader = JSONReader(bytes)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        guard reader.copyValue(to: &output, depth: 0) else { return nil }
        reader.skipBlanks()
        return reader.position == bytes.count ? output : nil
    }

    // MARK: Copying

    private mutating func copyValue(to output: inout [UInt8], depth: Int) -> Bool {
        skipBlanks()
        switch peek() {
        case UInt8(ascii: "{"): return copyContainer(to: &output, depth: depth, close: UInt8(ascii: "}"))
        case UInt8(ascii: "["): return copyContainer(to: &output, depth: depth, close: UInt8(ascii: "]"))
        case UInt8(ascii: "\""): return copyString(to: &output)
        case UInt8(ascii: "t"): return copyLiteral("true", to: &output)
        case UInt8(ascii: "f"): return copyLiteral("false", to: &output)
        case UInt8(ascii: "n"): return copyLiteral("null", to: &output)
        default: return copyNumber(to: &output)
        }
    }

    private mutating func copyContainer(to output: inout [UInt8], depth: Int, close: UInt8) -> Bool {
        guard depth < Self.maximumDepth else { return false }
        copyByte(to: &output)
        skipBlanks()
        var isFirst = true
        while peek() != close {
            if !isFirst {
                guard peek() == UInt8(ascii: ",") else { return false }
                copyByte(to: &output)
                skipBlanks()
            }
            isFirst = false
            if close == UInt8(ascii: "}") {
                guard peek() == UInt8(ascii: "\""), copyString(to: &output) else { return false }
                skipBlanks()
                guard peek() == UInt8(ascii: ":") else { return false }
                copyByte(to: &output)
            }
            guard copyValue(to: &output, depth: depth + 1) else { return false }
            skipBlanks()
        }
        copyByte(to: &output)
        return true
    }

    private mutating func copyString(to output: inout [UInt8]) -> Bool {
        copyByte(to: &output)
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                copyByte(to: &output)
                return true
            case UInt8(ascii: "\\"):
                guard copyEscape(to: &output) else { return false }
            case 0..<0x20:
                return false
            default:
                copyByte(to: &output)
            }
        }
        return false
    }

    private mutating func copyEscape(to output: inout [UInt8]) -> Bool {
        guard let escape = peek(1) else { return false }
        guard escape == UInt8(ascii: "u") else {
            guard "\"\\/bfnrt".utf8.contains(escape) else { return false }
            copyByte(to: &output)
            copyByte(to: &output)
            return true
        }
        guard let unit = codeUnit(at: position) else { return false }
        var length = 6
        if UTF16.isLeadSurrogate(unit), let trail = codeUnit(at: position + 6), UTF16.isTrailSurrogate(trail) {
            length = 12
        } else if UTF16.isSurrogate(unit) {
            output.append(contentsOf: "\\ufffd".utf8)
            position += length
            return true
        }
        output.append(contentsOf: bytes[position..<position + length])
        position += length
        return true
    }

    /// `\uXXXX` at `offset`.
    private func codeUnit(at offset: Int) -> UInt16? {
        guard offset + 6 <= bytes.count, bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for byte in bytes[offset + 2..<offset + 6] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    private mutating func copyLiteral(_ literal: String, to output: inout [UInt8]) -> Bool {
        guard bytes[position...].starts(with: literal.utf8) else { return false }
        output.append(contentsOf: literal.utf8)
        position += literal.utf8.count
        return true
    }

    private mutating func copyNumber(to output: inout [UInt8]) -> Bool {
        if peek() == UInt8(ascii: "-") { copyByte(to: &output) }
        if peek() == UInt8(ascii: "0") {
            copyByte(to: &output)
        } else if !copyDigits(to: &output) {
            return false
        }
        if peek() == UInt8(ascii: ".") {
            copyByte(to: &output)
            guard copyDigits(to: &output) else { return false }
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            copyByte(to: &output)
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { copyByte(to: &output) }
            return copyDigits(to: &output)
        }
        return true
    }

    private mutating func copyDigits(to output: inout [UInt8]) -> Bool {
        let start = position
        while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { copyByte(to: &output) }
        return position > start
    }

    // MARK: Bytes

    private func peek(_ ahead: Int = 0) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    private mutating func copyByte(to output: inout [UInt8]) {
        output.append(bytes[position])
        position += 1
    }

    private mutating func skipBlanks() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }
}
