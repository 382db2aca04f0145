import EventSchema
import Foundation
import KafkaClient

/// A record of the dead-letter topic, as its headers tell.
struct DeadLetter {
    /// In the dead-letter topic.
    var place: TopicPartition
    var offset: Int64
    var written: EventTime?

    var key: [UInt8]?
    var value: [UInt8]?
    var reason: String
    /// Where the record stood. Nil when the headers do not say, as of records that Apus did not write.
    var origin: PartitionOffset?
    /// The log's timestamp of the original, milliseconds.
    var timestamp: Int64?
    var size: Int?
    /// The value is not here: it was too large for the dead-letter topic.
    var isValueOmitted: Bool
    /// How often the record was replayed before it came here.
    var replays: Int

    /// On a record that was replayed: how often, and which dead letter it was.
    static let replaysHeader = "apus-replays"
    static let replayedFromHeader = "apus-replayed-from"

    init(_ message: MessageView, in topic: String) {
        let headers = message.headers
        func text(_ name: String) -> String? { headers.last(name).map { String(decoding: $0, as: UTF8.self) } }
        place = TopicPartition(topic, message.partition)
        offset = message.offset
        written = message.timestamp.flatMap { EventTime(milliseconds: $0) }
        key = message.key.map { Array($0) }
        value = message.value.map { Array($0) }
        reason = text("apus-reason") ?? "unknown"
        if let name = text("apus-topic"), !name.isEmpty, let partition = text("apus-partition").flatMap(Int32.init),
            partition >= 0, let offset = text("apus-offset").flatMap(Int64.init)
        {
            origin = PartitionOffset(TopicPartition(name, partition), offset)
        }
        timestamp = text("apus-timestamp").flatMap(Int64.init)
        size = text("apus-size").flatMap(Int.init)
        isValueOmitted = headers.last("apus-value-omitted") != nil
        replays = text(Self.replaysHeader).flatMap(Int.init) ?? 0
    }

    /// Its name: `0:17`, partition and offset in the dead-letter topic.
    var name: String { "\(place.partition):\(offset)" }
}

/// One line of `apus dlq list`, and the head of `apus dlq show`.
struct DeadLetterSummary: Encodable {
    var letter: String
    var written: String?
    var reason: String
    var topic: String?
    var partition: Int32?
    var offset: Int64?
    var timestamp: String?
    var size: Int?
    var replays: Int
    var valueOmitted: Bool
    /// Of `show` only; the value is text where it is UTF-8, else Base64.
    var key: String?
    var value: String?
    var valueBase64: String?

    init(_ letter: DeadLetter, showsValue: Bool = false) {
        self.letter = letter.name
        written = letter.written?.description
        reason = letter.reason
        topic = letter.origin?.partition.topic
        partition = letter.origin?.partition.partition
        offset = letter.origin?.offset
        timestamp = letter.timestamp.flatMap { EventTime(milliseconds: $0)?.description }
        size = letter.size ?? letter.value?.count
        replays = letter.replays
        valueOmitted = letter.isValueOmitted
        guard showsValue else { return }
        key = letter.key.map { String(decoding: $0, as: UTF8.self) }
        if let bytes = letter.value {
            value = String(validating: bytes, as: UTF8.self)
            if value == nil { valueBase64 = Data(bytes).base64EncodedString() }
        }
    }
}
