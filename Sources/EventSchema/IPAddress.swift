/// An IPv4 or IPv6 address; IPv4 is held as its IPv6-mapped form, so both spellings of one address are equal.
public struct IPAddress: Hashable, Comparable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(_ bits: UInt128) {
        self.init(high: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
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

    fileprivate mutating func takeV6() -> IPAddress? {
        var groups = Groups()
        if take(UInt8(ascii: ":")) {
            guard take(UInt8(ascii: ":")) else { return nil }
            groups.markZeros()
        }
        // Whether the address may end here: after a group or `::`, not after a single colon.
        var mayEnd = groups.hasZeros
        while groups.count < 8 {
            var lookahead = self
            if groups.count == 6 || groups.count < 6 && groups.hasZeros, let v4 = lookahead.takeV4() {
                self = lookahead
                groups.append(UInt16(v4 >> 16))
                groups.append(UInt16(truncatingIfNeeded: v4))
                mayEnd = true
                break
            }
            guard let group = takeGroup() else { break }
            groups.append(group)
            mayEnd = true
            guard take(UInt8(ascii: ":")) else { break }
            if !groups.hasZeros, take(UInt8(ascii: ":")) {
                groups.markZeros()
            } else {
                mayEnd = false
            }
        }
        return mayEnd ? groups.address : nil
    }

    /// One to four hexadecimal digits.
    private mutating func takeGroup() -> UInt16? {
        var group: UInt16 = 0
        var digits = 0
        while digits < 4, let byte = next, let digit = ASCII.hexadecimalDigit(byte) {
            group = group << 4 | UInt16(digit)
            digits += 1
            skip()
        }
        return digits > 0 ? group : nil
    }
}

/// The groups of an IPv6 address and the place of its `::`.
private struct Groups {
    private var bits: UInt128 = 0
    private(set) var count = 0
    /// How many groups stand before `::`.
    private var countBeforeZeros: Int?

    var hasZeros: Bool { countBeforeZeros != nil }

    mutating func append(_ group: UInt16) {
        bits = bits << 16 | UInt128(group)
        count += 1
    }

    mutating func markZeros() { countBeforeZeros = count }

    /// Nil unless there are eight groups, or fewer around a `::`, which stands for at least one.
    var address: IPAddress? {
        guard let countBeforeZeros else { return count == 8 ? IPAddress(bits) : nil }
        guard count < 8 else { return nil }
        let tailBits = UInt128(16 * (count - countBeforeZeros))
        let tail = bits & (1 << tailBits - 1)
        let head = bits >> tailBits
        return IPAddress(head << UInt128(16 * (8 - countBeforeZeros)) | tail)
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
