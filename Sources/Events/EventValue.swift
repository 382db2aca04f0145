public import CSimdjson

/// One decoded value. Borrowed: the bytes of a string are valid until the decoder's next record.
public struct EventValue {
    public enum Kind: UInt8, Sendable {
        case string, integer, double, boolean
    }

    @usableFromInline let raw: apus_json_value

    @inlinable
    init(raw: apus_json_value) {
        self.raw = raw
    }

    @inlinable public var kind: Kind {
        // The cases stand in the order of apus_json_kind.
        Kind(rawValue: raw.kind).unsafelyUnwrapped
    }

    /// UTF-8, unescaped. Only for a string.
    @inlinable public var bytes: UnsafeRawBufferPointer {
        assert(kind == .string)
        return UnsafeRawBufferPointer(
            start: UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: raw.bits)), count: Int(raw.length))
    }

    /// Only for an integer.
    @inlinable public var integer: Int64 {
        assert(kind == .integer)
        return Int64(bitPattern: raw.bits)
    }

    /// Only for a double; finite.
    @inlinable public var double: Double {
        assert(kind == .double)
        return Double(bitPattern: raw.bits)
    }

    /// Only for a boolean.
    @inlinable public var boolean: Bool {
        assert(kind == .boolean)
        return raw.bits != 0
    }
}

extension EventValue: CustomStringConvertible {
    /// The value as text, in a string of its own: strings as they are, whole doubles as `5.0`.
    public var description: String {
        switch kind {
        case .string: String(decoding: bytes, as: UTF8.self)
        case .integer: String(integer)
        case .double: String(double)
        case .boolean: String(boolean)
        }
    }
}
