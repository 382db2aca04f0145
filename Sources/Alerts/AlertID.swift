import Crypto
public import Events
import Rules

/// The identity of an alert: the same finding has the same id in every process and every replay, so that a
/// consumer that uses it as document id is idempotent.
///
/// The first 128 bits of the SHA-256 over these bytes; numbers are big-endian, a text is the length of its
/// UTF-8 in 4 bytes and the UTF-8:
///
/// ```
/// text    apus-alert-1, the name of this layout
/// text    rule id
/// text    rule content hash, hexadecimal
/// uint32  how many records contributed; then for each, in evidence order:
///   text    topic name
///   int32   partition
///   int64   offset
/// ```
public struct AlertID: Hashable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    /// `topicName` names the topics of the evidence.
    public init(_ finding: Finding, topicName: (TopicID) -> String) {
        var layout = ByteLayout()
        layout.append("apus-alert-1")
        layout.append(finding.rule.id)
        layout.append(finding.rule.contentHash)
        layout.append(UInt32(finding.evidence.count))
        for evidence in finding.evidence {
            layout.append(topicName(evidence.origin.topic))
            layout.append(evidence.origin.partition)
            layout.append(evidence.origin.offset)
        }
        let digest = Array(SHA256.hash(data: layout.bytes))
        high = digest[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = digest[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String {
        [high, low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

private struct ByteLayout {
    var bytes: [UInt8] = []

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ text: String) {
        append(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }
}
