import EventSchema

// Parts of borrowed bytes, borrowed as long as these.

extension UnsafeRawBufferPointer {
    func upTo(_ end: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[..<end]) }

    func from(_ start: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[start...]) }

    /// Loops and readers of our own instead of the standard library's closures: unoptimised, those allocate.
    func behindLast(_ separator: UInt8, or other: UInt8? = nil) -> UnsafeRawBufferPointer? {
        lastPlace(of: separator, or: other).map { from($0 + 1) }
    }

    func beforeLast(_ separator: UInt8, or other: UInt8? = nil) -> UnsafeRawBufferPointer? {
        lastPlace(of: separator, or: other).map { upTo($0) }
    }

    private func lastPlace(of separator: UInt8, or other: UInt8?) -> Int? {
        var index = count - 1
        while index >= 0 {
            if self[index] == separator || self[index] == other { return index }
            index -= 1
        }
        return nil
    }

    func place(of byte: UInt8) -> Int? {
        for index in 0..<count where self[index] == byte { return index }
        return nil
    }

    var isAllZeros: Bool {
        for index in 0..<count where self[index] != UInt8(ascii: "0") { return false }
        return true
    }

    func hasPrefix(_ prefix: UnsafeRawBufferPointer) -> Bool {
        count >= prefix.count && upTo(prefix.count).equals(prefix)
    }

    var trimmed: UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }

    /// Without the double quotes around it, if there are any.
    var unquoted: UnsafeRawBufferPointer {
        let quote = UInt8(ascii: "\"")
        guard count > 1, self[0] == quote, self[count - 1] == quote else { return self }
        return UnsafeRawBufferPointer(rebasing: self[1..<(count - 1)])
    }

    /// Around the one `@`; nil when there is none or another.
    var mailParts: (name: UnsafeRawBufferPointer, domain: UnsafeRawBufferPointer)? {
        let sign = UInt8(ascii: "@")
        guard let index = place(of: sign), from(index + 1).place(of: sign) == nil else { return nil }
        return (upTo(index), from(index + 1))
    }

    /// A whole number below 2^64, decimal or behind `0x`.
    var wholeNumber: UInt64? {
        let isHexadecimal = count > 2 && self[0] == UInt8(ascii: "0") && self[1] | 0x20 == UInt8(ascii: "x")
        guard !isEmpty else { return nil }
        var number: UInt64 = 0
        for index in (isHexadecimal ? 2 : 0)..<count {
            guard let digit = ASCII.hexadecimalDigit(self[index]), isHexadecimal || digit < 10 else { return nil }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: isHexadecimal ? 16 : 10)
            let (sum, overflows) = product.addingReportingOverflow(UInt64(digit))
            guard !isTooLarge, !overflows else { return nil }
            number = sum
        }
        return number
    }

    /// How many pieces between blanks there are.
    var wordCount: Int {
        var words = Words(self)
        while words.next() != nil {}
        return words.number
    }

    /// One piece between blanks, counted from 1.
    func word(_ number: Int) -> UnsafeRawBufferPointer? {
        var words = Words(self)
        while let word = words.next() {
            if words.number == number { return word }
        }
        return nil
    }

    /// Of a line `name = value`, the value.
    func value(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let equals = place(of: UInt8(ascii: "=")), upTo(equals).trimmed.equals(name) else { return nil }
        return from(equals + 1).trimmed
    }

    /// Well-formed UTF-8: Unicode 15, table 3-7.
    var isUTF8: Bool {
        var index = 0
        while index < count {
            let lead = self[index]
            let length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
            guard length > 0, index + length <= count else { return false }
            if length > 1 {
                let second = self[index + 1]
                let range: ClosedRange<UInt8> =
                    switch lead {
                    case 0xE0: 0xA0...0xBF
                    case 0xED: 0x80...0x9F
                    case 0xF0: 0x90...0xBF
                    case 0xF4: 0x80...0x8F
                    default: 0x80...0xBF
                    }
                guard range.contains(second) else { return false }
                var offset = 2
                while offset < length {
                    guard self[index + offset] & 0xC0 == 0x80 else { return false }
                    offset += 1
                }
            }
            index += length
        }
        return true
    }
}

/// Pieces between blanks of any kind.
struct Words {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0
    /// How many there were so far.
    private(set) var number = 0
    /// Where the last one ended.
    var end: Int { index }

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func next() -> UnsafeRawBufferPointer? {
        while index < bytes.count, bytes[index].isBlank { index += 1 }
        let start = index
        while index < bytes.count, !bytes[index].isBlank { index += 1 }
        guard index > start else { return nil }
        number += 1
        return UnsafeRawBufferPointer(rebasing: bytes[start..<index])
    }
}

/// Pieces between separators, empty ones included.
struct Pieces {
    private let bytes: UnsafeRawBufferPointer
    private let separator: UnsafeRawBufferPointer
    /// Nil behind the last one.
    private var start: Int? = 0

    /// - Parameter separator: not empty.
    init(_ bytes: UnsafeRawBufferPointer, between separator: UnsafeRawBufferPointer) {
        self.bytes = bytes
        self.separator = separator
    }

    mutating func next() -> UnsafeRawBufferPointer? {
        guard let start else { return nil }
        var index = start
        while index + separator.count <= bytes.count {
            if bytes[index] == separator[0],
                UnsafeRawBufferPointer(rebasing: bytes[index..<(index + separator.count)]).equals(separator)
            {
                self.start = index + separator.count
                return UnsafeRawBufferPointer(rebasing: bytes[start..<index])
            }
            index += 1
        }
        self.start = nil
        return bytes.from(start)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Copies `bytes` to `index`; where they end.
    func append(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        UnsafeMutableRawBufferPointer(rebasing: self[index...]).copyMemory(from: bytes)
        return index + bytes.count
    }
}

/// The bytes of a text that is part of the program.
func constant(_ text: StaticString) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
}

extension UInt8 {
    var isBlank: Bool { self == 0x20 || self &- 0x09 < 5 }
}

/// The parts of a URL; of one without a scheme, path and query.
struct URLParts {
    private(set) var scheme: UnsafeRawBufferPointer?
    private(set) var domain: UnsafeRawBufferPointer?
    private(set) var path: UnsafeRawBufferPointer?
    private(set) var query: UnsafeRawBufferPointer?

    init(_ url: UnsafeRawBufferPointer) {
        var rest = url
        if let hash = rest.place(of: UInt8(ascii: "#")) { rest = rest.upTo(hash) }
        if let mark = rest.place(of: UInt8(ascii: "?")) {
            query = rest.from(mark + 1)
            rest = rest.upTo(mark)
        }
        if let colon = rest.place(of: UInt8(ascii: ":")), rest.from(colon + 1).hasPrefix(constant("//")) {
            scheme = rest.upTo(colon)
            rest = rest.from(colon + 3)
            let slash = rest.place(of: UInt8(ascii: "/")) ?? rest.count
            let authority = rest.upTo(slash)
            let host = authority.behindLast(UInt8(ascii: "@")) ?? authority
            let isBracketed = host.isSame(0, UInt8(ascii: "["))
            domain = isBracketed ? host : host.place(of: UInt8(ascii: ":")).map { host.upTo($0) } ?? host
            rest = rest.from(slash)
        }
        path = rest
    }
}

/// An IP address as logs write it, with or without brackets, port and zone.
struct Address {
    let ip: UnsafeRawBufferPointer
    let port: UnsafeRawBufferPointer?

    init?(_ text: UnsafeRawBufferPointer) {
        var host = text
        var port: UnsafeRawBufferPointer?
        if text.isSame(0, UInt8(ascii: "[")), let close = text.place(of: UInt8(ascii: "]")) {
            host = UnsafeRawBufferPointer(rebasing: text[1..<close])
            if close + 1 < text.count, text[close + 1] == UInt8(ascii: ":") { port = text.from(close + 2) }
        } else if let colon = text.place(of: UInt8(ascii: ":")),
            text.from(colon + 1).place(of: UInt8(ascii: ":")) == nil
        {
            host = text.upTo(colon)
            port = text.from(colon + 1)
        }
        if let zone = host.place(of: UInt8(ascii: "%")) { host = host.upTo(zone) }
        let mapped = constant("::ffff:")
        if host.count > mapped.count, host.place(of: UInt8(ascii: ".")) != nil,
            ASCII.equalIgnoringCase(host.upTo(mapped.count), mapped)
        {
            host = host.from(mapped.count)
        }
        guard IPAddress(parsing: host) != nil else { return nil }
        ip = host
        self.port = port.flatMap { $0.wholeNumber == nil ? nil : $0 }
    }
}
