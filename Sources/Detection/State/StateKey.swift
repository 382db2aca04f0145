import Correlation
import Crypto
import EventSchema

/// The keys of the state topic, in bytes:
///
///     version  owner  'M'  (part)                                      the marker
///     version  owner  'E'  topic  partition  offset         part  of   an event
///     version  owner  'K'  rule id  rule hash  join key     part  of   what a rule holds for a join key
///     version  owner  'S'  rule id  rule hash  group        part  of   the suppression window of a group of findings
///
/// `version` is that of the whole format, keys and values. A value too long for one record stands in several whose
/// keys differ in `part`.
enum StateKey: Hashable {
    case marker
    case event(topic: String, partition: Int32, offset: Int64)
    /// `hash` is the beginning of the rule's content hash; a long join key stands in the value.
    case correlation(rule: String, hash: String, key: JoinKeyForm)
    case suppression(rule: String, hash: String, group: Suppressor.Group)

    static let version: UInt8 = 1
    /// Join keys whose bytes are more than these stand in the value, with a digest in their place.
    static let longestJoinKey = 256

    enum JoinKeyForm: Hashable {
        case literal(CorrelationKey)
        case digest([UInt8])
    }

    private static let markerTag = UInt8(ascii: "M")
    private static let eventTag = UInt8(ascii: "E")
    private static let correlationTag = UInt8(ascii: "K")
    private static let suppressionTag = UInt8(ascii: "S")

    /// How much of a rule's content hash stands in a key.
    static func prefix(ofHash hash: String) -> String { String(hash.prefix(16)) }

    // MARK: Bytes

    static func marker(_ owner: StateOwner) -> [UInt8] { [version, owner.rawValue, markerTag] }

    /// Of a record that stands before the marker and belongs to it.
    static func marker(_ owner: StateOwner, part: Int) -> [UInt8] {
        var writer = StateWriter()
        writer.append(count: part)
        return marker(owner) + writer.bytes
    }

    /// Without `part` and `of`.
    func bytes(_ owner: StateOwner) -> [UInt8] {
        var writer = StateWriter()
        writer.append(Self.version)
        writer.append(owner.rawValue)
        switch self {
        case .marker:
            writer.append(Self.markerTag)
        case .event(let topic, let partition, let offset):
            writer.append(Self.eventTag)
            writer.append(topic)
            writer.append(signed: Int64(partition))
            writer.append(signed: offset)
        case .correlation(let rule, let hash, let key):
            writer.append(Self.correlationTag)
            writer.append(rule)
            writer.append(hash)
            switch key {
            case .literal(let key):
                writer.append(true)
                key.write(to: &writer)
            case .digest(let digest):
                writer.append(false)
                writer.append(raw: digest)
            }
        case .suppression(let rule, let hash, let group):
            writer.append(Self.suppressionTag)
            writer.append(rule)
            writer.append(hash)
            writer.append(fixed: group.high)
            writer.append(fixed: group.low)
        }
        return writer.bytes
    }

    /// - Parameter bytes: without version, owner, `part` and `of`.
    init(_ bytes: ArraySlice<UInt8>) throws(StateCorruption) {
        var reader = StateReader(bytes)
        switch try reader.byte() {
        case Self.markerTag:
            self = .marker
        case Self.eventTag:
            self = .event(
                topic: try reader.text(), partition: try reader.integer(Int32.self), offset: try reader.signed())
        case Self.correlationTag:
            let rule = try reader.text()
            let hash = try reader.text()
            let key: JoinKeyForm =
                try reader.flag() ? .literal(CorrelationKey(&reader)) : .digest(Array(reader.raw(SHA256.byteCount)))
            self = .correlation(rule: rule, hash: hash, key: key)
        case Self.suppressionTag:
            self = .suppression(
                rule: try reader.text(), hash: try reader.text(),
                group: Suppressor.Group(high: try reader.fixed(), low: try reader.fixed()))
        case let tag:
            throw StateCorruption("\(tag) is no kind of record")
        }
        try reader.finish()
    }
}

extension StateKey.JoinKeyForm {
    init(_ key: CorrelationKey) {
        var writer = StateWriter()
        key.write(to: &writer)
        if writer.bytes.count <= StateKey.longestJoinKey {
            self = .literal(key)
        } else {
            self = .digest(Array(SHA256.hash(data: writer.bytes)))
        }
    }
}
