public import EventSchema

/// A record that outlives its batch: what a correlation keeps of an event until it becomes part of an alert.
public final class RetainedEvent: Sendable {
    public let origin: RecordOrigin
    /// The instant the event counts for: its own timestamp, or that of its Kafka record.
    public let timestamp: EventTime
    /// Orders events of equal timestamps before their origin does.
    public let tiebreaker: Int64?
    /// Whether it came after its lane's watermark.
    public let isLate: Bool
    /// The payload, unchanged.
    public let bytes: [UInt8]

    /// Copies `payload`.
    public init(
        copying payload: UnsafeRawBufferPointer, origin: RecordOrigin, timestamp: EventTime,
        tiebreaker: Int64? = nil, isLate: Bool = false
    ) {
        self.origin = origin
        self.timestamp = timestamp
        self.tiebreaker = tiebreaker
        self.isLate = isLate
        bytes = Array(payload)
    }

    /// A record whose bytes are at hand.
    public init(
        _ bytes: [UInt8], origin: RecordOrigin, timestamp: EventTime, tiebreaker: Int64?, isLate: Bool
    ) {
        self.origin = origin
        self.timestamp = timestamp
        self.tiebreaker = tiebreaker
        self.isLate = isLate
        self.bytes = bytes
    }

    /// The same record, whose bytes are shared, at another place in time.
    public init(_ event: RetainedEvent, timestamp: EventTime, tiebreaker: Int64?, isLate: Bool) {
        origin = event.origin
        self.timestamp = timestamp
        self.tiebreaker = tiebreaker
        self.isLate = isLate
        bytes = event.bytes
    }
}
