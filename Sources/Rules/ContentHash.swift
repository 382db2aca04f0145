import Crypto
import EQL
import EventSchema

/// The identity of what a rule detects: equal hashes mean equal findings on equal events.
///
/// SHA-256 over the following parts in this order, as 64 lower-case hexadecimal digits. A part is the
/// length of its UTF-8 text as 4 bytes, big-endian, and the text; an absent part is `FF FF FF FF`.
///
/// 1. `apus-rule-1`, the name of this layout
/// 2. the rule id
/// 3. the language: `eql`
/// 4. the query, as written
/// 5. the regex mode: `elastic` or `search`
/// 6. `event_category_override`
/// 7. `timestamp_field`
/// 8. `tiebreaker_field`
/// 9. only for a correlation without `maxspan`: how far the rule looks back, in nanoseconds
///
/// Names, texts, severity, threats, stage and suppression are left out: editing them must not give old
/// findings new alert ids.
public enum ContentHash {
    static func hexadecimal(
        id: String, language: String, query: String, options: QueryOptions, lookback: Int64?
    ) -> String {
        var digest = PartDigest()
        digest.add("apus-rule-1")
        digest.add(id)
        digest.add(language)
        digest.add(query)
        digest.add(options.regexMode.rawValue)
        digest.add(options.eventCategoryField?.dotted)
        digest.add(options.timestampField?.dotted)
        digest.add(options.tiebreakerField?.dotted)
        if let lookback { digest.add(String(lookback)) }
        return digest.finish()
    }
}

/// SHA-256 over length-prefixed parts, so that no two lists of parts run into the same bytes.
struct PartDigest {
    private var hash = SHA256()

    mutating func add(_ part: String?) {
        guard let part else {
            hash.update(data: [0xFF, 0xFF, 0xFF, 0xFF] as [UInt8])
            return
        }
        let bytes = Array(part.utf8)
        let length = UInt32(bytes.count)
        hash.update(data: (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) })
        hash.update(data: bytes)
    }

    func finish() -> String {
        hash.finalize().map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
