/// What a record may be at most. A larger one is refused before it is copied.
public struct DecodeLimits: Hashable, Sendable {
    /// Bytes of the payload.
    public var bytes: Int
    /// Objects and arrays inside each other, the record itself included; at most 1024 are allowed.
    public var depth: Int

    public init(bytes: Int = 1 << 20, depth: Int = 128) {
        self.bytes = bytes
        self.depth = depth
    }
}
