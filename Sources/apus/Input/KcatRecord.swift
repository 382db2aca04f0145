import EventSchema
import Foundation

/// A record as `kcat -C -J` writes it: the envelope with its place in Kafka around the event.
struct KcatRecord: Decodable {
    var topic: String
    var partition: Int32
    var offset: Int64
    /// Milliseconds since 1970.
    var timestamp: Int64?
    /// Nil for a tombstone.
    var payload: String?

    enum CodingKeys: String, CodingKey {
        case topic, partition, offset, payload
        case timestamp = "ts"
    }

    init(_ line: UnsafeRawBufferPointer) throws {
        self = try JSONDecoder().decode(KcatRecord.self, from: Data(line))
    }

    var time: EventTime? {
        guard let timestamp, timestamp >= 0 else { return nil }
        return EventTime(milliseconds: timestamp)
    }
}

/// How the lines of an input hold events.
enum RecordFormat: String, CaseIterable {
    case plain
    case kcat
}
