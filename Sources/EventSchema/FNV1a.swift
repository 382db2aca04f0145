/// The 64-bit hash FNV-1a: the same in every process, unlike `Hasher`'s, and so fit for what is kept or compared between
/// them. Not for adversaries.
public enum FNV1a {
    @inlinable
    public static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
