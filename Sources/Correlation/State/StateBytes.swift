public import EventSchema

/// Appends the parts of a state record, in a form that does not depend on the machine.
///
/// Unsigned numbers are LEB128, signed ones zigzag before that, instants 8 bytes big-endian, texts and byte
/// strings a length and the bytes.
public struct StateWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func append(_ byte: UInt8) { bytes.append(byte) }

    public mutating func append(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    public mutating func append(unsigned value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    public mutating func append(count: Int) { append(unsigned: UInt64(count)) }

    public mutating func append(signed value: Int64) {
        append(unsigned: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    public mutating func append(fixed value: UInt64) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func append(_ time: EventTime) { append(fixed: UInt64(bitPattern: time.nanoseconds)) }

    public mutating func append(_ time: EventTime?) {
        append(time != nil)
        if let time { append(time) }
    }

    public mutating func append(_ text: String) {
        append(count: text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    public mutating func append(raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }
}

/// Why a state record could not be read. It is reported and skipped; no input traps.
public struct StateCorruption: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// Reads what ``StateWriter`` wrote, and refuses everything else.
public struct StateReader {
    private var rest: ArraySlice<UInt8>

    public init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    public init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    public var isAtEnd: Bool { rest.isEmpty }

    /// What has not been read.
    public var remaining: ArraySlice<UInt8> { rest }

    public mutating func byte() throws(StateCorruption) -> UInt8 {
        guard let byte = rest.popFirst() else { throw StateCorruption("it ends too early") }
        return byte
    }

    public mutating func flag() throws(StateCorruption) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        case let other: throw StateCorruption("\(other) is no truth value")
        }
    }

    public mutating func unsigned() throws(StateCorruption) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            let bits = UInt64(next & 0x7F)
            guard shift < 64, (bits << shift) >> shift == bits else { throw StateCorruption("a number is too large") }
            value |= bits << shift
            if next < 0x80 { return value }
            shift += 7
        }
    }

    /// A number of parts that follow, each at least one byte long: never more than there are bytes, so that a
    /// corrupt count reserves no memory.
    public mutating func count() throws(StateCorruption) -> Int {
        let value = try unsigned()
        guard value <= UInt64(rest.count) else { throw StateCorruption("a count of \(value) exceeds the record") }
        return Int(value)
    }

    public mutating func signed() throws(StateCorruption) -> Int64 {
        let bits = try unsigned()
        return Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
    }

    public mutating func integer<Number: FixedWidthInteger>(
        _ type: Number.Type
    ) throws(StateCorruption) -> Number {
        let value = try signed()
        guard let number = Number(exactly: value) else { throw StateCorruption("\(value) is out of range") }
        return number
    }

    public mutating func fixed() throws(StateCorruption) -> UInt64 {
        try raw(8).reduce(0) { ($0 << 8) | UInt64($1) }
    }

    public mutating func time() throws(StateCorruption) -> EventTime {
        EventTime(nanoseconds: Int64(bitPattern: try fixed()))
    }

    public mutating func optionalTime() throws(StateCorruption) -> EventTime? {
        try flag() ? try time() : nil
    }

    public mutating func text() throws(StateCorruption) -> String {
        let bytes = try raw(count())
        guard let text = String(validating: bytes, as: UTF8.self) else { throw StateCorruption("a text is not UTF-8") }
        return text
    }

    public mutating func raw(_ count: Int) throws(StateCorruption) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw StateCorruption("it ends too early") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// - Throws: when something is left.
    public func finish() throws(StateCorruption) {
        guard isAtEnd else { throw StateCorruption("\(rest.count) bytes are left over") }
    }
}
