/// An IPv4 or IPv6 address; IPv4 is held as its IPv6-mapped form, so both spellings of one address are equal.
public struct IPAddress: Hashable, Comparable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// A block of addresses; a single address is a block of one. Host bits of the spelling are ignored.
public struct IPBlock: Hashable, Sendable {
    public let lower: IPAddress
    public let upper: IPAddress

    public init(lower: IPAddress, upper: IPAddress) {
        self.lower = lower
        self.upper = upper
    }

    public func contains(_ address: IPAddress) -> Bool { lower <= address && address <= upper }
}
