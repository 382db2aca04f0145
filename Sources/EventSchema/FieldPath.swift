/// The dotted name of a field, as ECS and EQL spell it: `process.parent.name`.
///
/// Nested objects, dotted keys and mixtures of both in a record name the same path. Case-sensitive.
public struct FieldPath: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let dotted: String

    public init(_ dotted: String) {
        self.dotted = dotted
    }

    public init(stringLiteral value: String) {
        self.init(value)
    }

    public var segments: [Substring] { dotted.split(separator: ".", omittingEmptySubsequences: false) }

    public var description: String { dotted }

    public static func < (left: FieldPath, right: FieldPath) -> Bool { left.dotted < right.dotted }

    public static let timestamp: FieldPath = "@timestamp"
    public static let eventCategory: FieldPath = "event.category"
}
