/// An IPv4 or IPv6 address; IPv4 is held as its IPv6-mapped form, so both spellings of one address are equal.
public struct IPAddress: Hashable, Comparable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public init(v4 bits: UInt32) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(bits))
    }

    /// Whether the address is IPv4, or IPv4 mapped into IPv6.
    public var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

// MARK: - Parsing

extension IPAddress {
    /// Parses a dotted IPv4 or an IPv6 address (RFC 4291, section 2.2) without allocating.
    ///
    /// Nil for anything else: zone ids, brackets, ports, and octets with leading zeros, which some
    /// systems read as octal.
    public init?(parsing bytes: UnsafeRawBufferPointer) {
        var cursor = ByteCursor(bytes)
        guard let address = cursor.takeAddress(), cursor.isAtEnd else { return nil }
        self = address
    }

    public init?(parsing text: String) {
        var text = text
        guard let address = text.withUTF8({ IPAddress(parsing: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = address
    }
}

extension ByteCursor {
    fileprivate mutating func takeAddress() -> IPAddress? {
        var lookahead = self
        if let v4 = lookahead.takeV4() {
            self = lookahead
            return IPAddress(v4: v4)
        }
        return takeV6()
    }

    fileprivate mutating func takeV4() -> UInt32? {
        var bits: UInt32 = 0
        for octet in 0..<4 {
            guard octet == 0 || take(UInt8(ascii: ".")), let value = takeSmallNumber(limit: 255) else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        return bits
    }

    /// Up to eight groups; those after `::` are shifted to the end once their number is known.
    fileprivate mutating func takeV6() -> IPAddress? {
        var groups = GroupBits()
        var tail = GroupBits()
        var isCompressed = false
        if take(UInt8(ascii: ":")) {
            guard take(UInt8(ascii: ":")) else { return nil }
            isCompressed = true
        }
        var mayEnd = isCompressed
        while groups.count + tail.count < 8 {
            var lookahead = self
            if groups.count + tail.count <= 6, groups.count == 6 || isCompressed, let v4 = lookahead.takeV4() {
                self = lookahead
                isCompressed ? tail.append(UInt16(v4 >> 16)) : groups.append(UInt16(v4 >> 16))
                isCompressed ? tail.append(UInt16(truncatingIfNeeded: v4))
                    : groups.append(UInt16(truncatingIfNeeded: v4))
                mayEnd = true
                break
            }
            guard let group = takeGroup() else { break }
            isCompressed ? tail.append(group) : groups.append(group)
            mayEnd = true
            guard take(UInt8(ascii: ":")) else { break }
            if !isCompressed, take(UInt8(ascii: ":")) {
                isCompressed = true
            } else {
                mayEnd = false
            }
        }
        // `::` stands for at least one group of zeros.
        guard mayEnd, isCompressed ? groups.count + tail.count < 8 : groups.count == 8 else { return nil }
        let bits = groups.aligned(toEnd: false) | tail.aligned(toEnd: true)
        return IPAddress(high: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
    }

    /// One to four hexadecimal digits.
    private mutating func takeGroup() -> UInt16? {
        var group: UInt16 = 0
        var digits = 0
        while digits < 4, let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue {
            group = group << 4 | UInt16(digit)
            digits += 1
            skip()
        }
        return digits > 0 ? group : nil
    }
}

private struct GroupBits {
    var bits: UInt128 = 0
    var count = 0

    mutating func append(_ group: UInt16) {
        bits = bits << 16 | UInt128(group)
        count += 1
    }

    func aligned(toEnd: Bool) -> UInt128 {
        toEnd || count == 0 ? bits : bits << UInt128(16 * (8 - count))
    }
}

// MARK: - Printing

extension IPAddress: CustomStringConvertible {
    /// The canonical spelling (RFC 5952); dotted for IPv4, mapped or not.
    public var description: String {
        if isV4 {
            return (0..<4).map { String(low >> UInt64(24 - 8 * $0) & 0xFF) }.joined(separator: ".")
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 % 4))) }
        guard let zeros = Self.longestRunOfZeros(groups) else {
            return groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        let head = groups[..<zeros.lowerBound].map { String($0, radix: 16) }.joined(separator: ":")
        let tail = groups[zeros.upperBound...].map { String($0, radix: 16) }.joined(separator: ":")
        return "\(head)::\(tail)"
    }

    /// The first longest run of at least two zero groups.
    private static func longestRunOfZeros(_ groups: [UInt16]) -> Range<Int>? {
        var longest = 0..<1
        var start = 0
        for index in groups.indices {
            guard groups[index] == 0 else {
                start = index + 1
                continue
            }
            if index + 1 - start > longest.count { longest = start..<index + 1 }
        }
        return longest.count > 1 ? longest : nil
    }
}
