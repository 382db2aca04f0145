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
        guard left.utf8.count == right.utf8.count else { return false }
        return left.withBytes { left in right.withBytes { left.elementsEqual($0) } }
    }

    /// By code points, which is the order of their UTF-8.
    public static func < (left: ExactString, right: ExactString) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        // No value is the beginning of another: 0xFF is no part of UTF-8.
        withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }

    /// Native strings lie in one piece: the copy is of a reference, and only a bridged one would be copied out.
    private func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        var string = string
        return string.withUTF8(body)
    }
}
