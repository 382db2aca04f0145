public import CSimdjson
public import EventSchema

/// The fields of the record decoded last. Borrowed: valid until the decoder's next record, and no longer than it.
///
/// Reading allocates nothing. Ids must come from the decoder's layout.
public struct Event {
    @usableFromInline let record: apus_json_record

    /// From the layout's timestamp field; nil when the record has none that is an instant.
    public let timestamp: EventTime?

    /// Which candidate gave the host key, by its index; nil when the record has no host key.
    public let hostKeyCandidate: Int?

    /// Values left out because they do not fit their field's type.
    public let coercionFailures: Int

    init(record: apus_json_record, timestamp: EventTime?, hostKeyCandidate: Int?, coercionFailures: Int) {
        self.record = record
        self.timestamp = timestamp
        self.hostKeyCandidate = hostKeyCandidate
        self.coercionFailures = coercionFailures
    }

    @inlinable
    public func isPresent(_ field: FieldID) -> Bool {
        record.heads[field.index] != Values.none
    }

    /// The values of `field`, in document order.
    @inlinable
    public func values(_ field: FieldID) -> Values {
        Values(all: record.values, next: record.heads[field.index])
    }

    @inlinable
    public func first(_ field: FieldID) -> EventValue? {
        var values = values(field)
        return values.next()
    }

    /// Walks a linked list through the decoder's values.
    public struct Values: Sequence, IteratorProtocol {
        /// APUS_JSON_NONE, which Swift does not import.
        @usableFromInline static var none: UInt32 { .max }

        @usableFromInline let all: UnsafePointer<apus_json_value>?
        @usableFromInline var index: UInt32

        @inlinable
        init(all: UnsafePointer<apus_json_value>?, next index: UInt32) {
            self.all = all
            self.index = index
        }

        @inlinable
        public mutating func next() -> EventValue? {
            guard index != Self.none, let all else { return nil }
            let value = all[Int(index)]
            index = value.next
            return EventValue(raw: value)
        }
    }
}
