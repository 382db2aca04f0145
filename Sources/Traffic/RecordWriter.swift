import EventSchema

/// Writes one JSON object as bytes, without intermediate strings. Commas set themselves: a member or an
/// element is preceded by one unless it is the first in its object or array.
struct RecordWriter {
    var bytes: [UInt8] = []

    // What the gaps of a `Text` are filled with.
    var user: [UInt8] = []
    var host: [UInt8] = []
    var number = 0

    mutating func begin() {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(UInt8(ascii: "{"))
    }

    mutating func end() {
        bytes.append(UInt8(ascii: "}"))
    }

    // MARK: Members

    mutating func member(_ name: StaticString, _ value: Text) {
        key(name)
        quoted { $0.append(value) }
    }

    mutating func member(_ name: StaticString, _ value: StaticString) {
        key(name)
        quoted { $0.append(value) }
    }

    mutating func member(_ name: StaticString, bytes value: [UInt8]) {
        key(name)
        quoted { $0.bytes.append(contentsOf: value) }
    }

    mutating func member(_ name: StaticString, _ value: Int) {
        key(name)
        append(value)
    }

    mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        append(value ? "true" : "false")
    }

    mutating func member(_ name: StaticString, _ time: EventTime) {
        key(name)
        quoted { time.write(to: &$0.bytes) }
    }

    mutating func member(_ name: StaticString, _ values: [Text]) {
        array(name) { writer in
            for value in values { writer.element(value) }
        }
    }

    /// A member whose value is JSON as it stands, such as `["process"]`.
    mutating func member(_ name: StaticString, json: StaticString) {
        key(name)
        append(json)
    }

    /// A member whose string value `body` writes.
    mutating func member(_ name: StaticString, text body: (inout RecordWriter) -> Void) {
        key(name)
        quoted(body)
    }

    mutating func object(_ name: StaticString, _ body: (inout RecordWriter) -> Void) {
        key(name)
        bytes.append(UInt8(ascii: "{"))
        body(&self)
        bytes.append(UInt8(ascii: "}"))
    }

    mutating func array(_ name: StaticString, _ body: (inout RecordWriter) -> Void) {
        key(name)
        bytes.append(UInt8(ascii: "["))
        body(&self)
        bytes.append(UInt8(ascii: "]"))
    }

    mutating func element(_ value: Text) {
        textElement { $0.append(value) }
    }

    /// A string element that `body` writes.
    mutating func textElement(_ body: (inout RecordWriter) -> Void) {
        separate()
        quoted(body)
    }

    /// An object element whose members `body` writes.
    mutating func element(object body: (inout RecordWriter) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "{"))
        body(&self)
        bytes.append(UInt8(ascii: "}"))
    }

    /// Members that were rendered before, without braces around them.
    mutating func members(_ rendered: [UInt8]) {
        separate()
        bytes.append(contentsOf: rendered)
    }

    // MARK: Parts of a value

    mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: Text) {
        for piece in text.pieces {
            switch piece {
            case .bytes(let plain): bytes.append(contentsOf: plain)
            case .user: bytes.append(contentsOf: user)
            case .host: bytes.append(contentsOf: host)
            case .number: append(number)
            }
        }
    }

    mutating func append(_ value: Int) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        appendDigits(of: value.magnitude, atLeast: 1)
    }

    mutating func appendDigits(of value: UInt, atLeast width: Int) {
        var divisor: UInt = 1
        var digits = 1
        while digits < width || value / divisor >= 10 {
            divisor *= 10
            digits += 1
        }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    /// `digits` lower-case hexadecimal digits, the low ones of `value`.
    mutating func appendHex(_ value: UInt64, digits: Int) {
        for place in stride(from: digits - 1, through: 0, by: -1) {
            let nibble = UInt8(truncatingIfNeeded: value >> UInt64(place * 4)) & 0xF
            bytes.append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
        }
    }

    /// `8-4-4-4-12` hexadecimal digits.
    mutating func appendGUID(_ high: UInt64, _ low: UInt64) {
        appendHex(high >> 32, digits: 8)
        bytes.append(UInt8(ascii: "-"))
        appendHex(high >> 16, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        appendHex(high, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        appendHex(low >> 48, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        appendHex(low, digits: 12)
    }

    // MARK: Punctuation

    private mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        append(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func quoted(_ body: (inout RecordWriter) -> Void) {
        bytes.append(UInt8(ascii: "\""))
        body(&self)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func separate() {
        if let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") {
            bytes.append(UInt8(ascii: ","))
        }
    }
}
