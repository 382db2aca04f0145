/// A forward reader over borrowed bytes; the small parsers of this module share it. Never allocates.
struct ByteCursor {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skip() { position += 1 }

    /// Consumes `byte` if it is next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    mutating func takeDigit() -> Int? {
        guard let byte = next, ASCII.isDigit(byte) else { return nil }
        position += 1
        return Int(byte - UInt8(ascii: "0"))
    }

    /// A number of exactly `count` decimal digits.
    @inline(__always)
    mutating func takeNumber(digits count: Int) -> Int? {
        guard bytes.count - position >= count else { return nil }
        var number = 0
        for index in position..<position + count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number &* 10 &+ Int(digit)
        }
        position += count
        return number
    }

    /// A decimal number of at most three digits, at most `limit`, without superfluous leading zeros.
    mutating func takeSmallNumber(limit: Int) -> Int? {
        let start = position
        guard var number = takeDigit() else { return nil }
        while let digit = takeDigit() {
            number = number * 10 + digit
            guard position - start <= 3 else { return nil }
        }
        let hasLeadingZero = position - start > 1 && bytes[start] == UInt8(ascii: "0")
        return number <= limit && !hasLeadingZero ? number : nil
    }
}
