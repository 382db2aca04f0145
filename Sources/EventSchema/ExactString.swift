/// A string that equals only the same code points, as EQL compares.
///
/// Swift's `String` compares by canonical equivalence: to it `é` and `e` with an accent are one string, and a set
/// of them would lose the other spelling.
public struct ExactString: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let string: String

    public init(_ string: String) {
        self.string = string
    }

    public init(stringLiteral value: String) {
        self.init(value)
    }

    public var utf8: String.UTF8View { string.utf8 }

    public var description: String { string }

    public static func == (left: ExactString, right: ExactString) -> Bool {
        left.utf8.elementsEqual(right.utf8)
    }

    /// By code points, which is the order of their UTF-8.
    public static func < (left: ExactString, right: ExactString) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        // No value is the beginning of another: 0xFF is no part of UTF-8.
        for byte in utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
    }
}
