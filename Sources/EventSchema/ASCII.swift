/// Bytes as ASCII. Case folding is that of the letters A to Z and of nothing else: Elasticsearch compares plain
/// fields so.
public enum ASCII {
    @inlinable
    public static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    @inlinable
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The value of `0`…`9`, `a`…`f` or `A`…`F`.
    @inlinable
    public static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    /// Bytes outside ASCII, and so every other letter, stay as they are.
    public static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.lazy.map { lowercased($0) }, as: UTF8.self)
    }

    @inlinable
    public static func equalIgnoringCase(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count where lowercased(left[index]) != lowercased(right[index]) {
            return false
        }
        return true
    }
}
