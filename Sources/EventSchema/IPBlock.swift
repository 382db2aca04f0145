/// A block of addresses; a single address is a block of one. Host bits of the spelling are ignored.
public struct IPBlock: Hashable, Sendable {
    public let lower: IPAddress
    public let upper: IPAddress

    public init(lower: IPAddress, upper: IPAddress) {
        self.lower = lower
        self.upper = upper
    }

    public init(_ address: IPAddress) {
        self.init(lower: address, upper: address)
    }

    /// The block of all addresses that share their first `prefix` bits with `address`, of 128.
    public init(_ address: IPAddress, prefix: Int) {
        precondition((0...128).contains(prefix), "a prefix is 0 to 128 bits")
        let bits = UInt128(address.high) << 64 | UInt128(address.low)
        let hostBits = prefix == 0 ? UInt128.max : (1 << UInt128(128 - prefix)) - 1
        self.init(lower: IPAddress(bits & ~hostBits), upper: IPAddress(bits | hostBits))
    }

    /// Parses `10.0.0.0/8`, `fe80::/10`, or a bare address. The prefix of a dotted address counts from its
    /// own first bit: 0 to 32. Nil for anything else.
    public init?(parsing text: String) {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            guard let address = IPAddress(parsing: text) else { return nil }
            self.init(address)
            return
        }
        let spelling = String(text[..<slash])
        let isDotted = !spelling.utf8.contains(UInt8(ascii: ":"))
        let digits = text[text.utf8.index(after: slash)...]
        guard let address = IPAddress(parsing: spelling),
            digits.utf8.count <= 3, digits.utf8.allSatisfy({ ASCII.isDigit($0) }),
            let length = Int(digits), length <= (isDotted ? 32 : 128)
        else { return nil }
        self.init(address, prefix: isDotted ? 96 + length : length)
    }

    public func contains(_ address: IPAddress) -> Bool { lower <= address && address <= upper }
}

extension IPBlock: CustomStringConvertible {
    /// An address, or an address and the length of its prefix: `10.0.0.0/8`.
    public var description: String {
        let width = (UInt128(upper.high) << 64 | UInt128(upper.low)) ^ (UInt128(lower.high) << 64 | UInt128(lower.low))
        let prefix = width.leadingZeroBitCount
        guard prefix < 128 else { return lower.description }
        let isDotted = !lower.description.utf8.contains(UInt8(ascii: ":"))
        return "\(lower)/\(isDotted ? prefix - 96 : prefix)"
    }
}
