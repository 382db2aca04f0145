public import EventSchema
public import Events
import HeapModule

/// The order in which events take part in sequences: time, then tiebreaker (a present one before an
/// absent one), then where they stand in the log, then arrival.
public struct EventOrder: Comparable, Sendable {
    public let timestamp: EventTime
    public let tiebreaker: Int64?
    public let origin: RecordOrigin
    public let arrival: UInt64

    public static func < (left: EventOrder, right: EventOrder) -> Bool {
        if left.timestamp != right.timestamp { return left.timestamp < right.timestamp }
        switch (left.tiebreaker, right.tiebreaker) {
        case (let first?, let second?) where first != second: return first < second
        case (_?, nil): return true
        case (nil, _?): return false
        default: break
        }
        if left.origin.topic != right.origin.topic {
            return left.origin.topic.rawValue < right.origin.topic.rawValue
        }
        if left.origin.partition != right.origin.partition { return left.origin.partition < right.origin.partition }
        if left.origin.offset != right.origin.offset { return left.origin.offset < right.origin.offset }
        return left.arrival < right.arrival
    }

    public static func == (left: EventOrder, right: EventOrder) -> Bool {
        !(left < right) && !(right < left)
    }
}

/// Holds elements until the watermark has passed them and gives them back in event order.
///
/// Only stage hits come here, so its size follows the matches within the allowed lateness, not the
/// traffic.
public struct ReorderBuffer<Payload> {
    private struct Entry: Comparable {
        var order: EventOrder
        var payload: Payload

        static func < (left: Entry, right: Entry) -> Bool { left.order < right.order }
        static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
    }

    private var heap = Heap<Entry>()
    private var arrivals: UInt64 = 0

    public init() {}

    public var count: Int { heap.count }

    /// Every element that is held, in no order.
    public var payloads: some Sequence<Payload> { heap.unordered.lazy.map(\.payload) }

    public mutating func insert(_ payload: Payload, event: RetainedEvent) {
        arrivals += 1
        let order = EventOrder(
            timestamp: event.timestamp, tiebreaker: event.tiebreaker, origin: event.origin, arrival: arrivals)
        heap.insert(Entry(order: order, payload: payload))
    }

    /// The next element in order if its time is at or before `watermark`.
    public mutating func next(upTo watermark: EventTime) -> Payload? {
        guard let first = heap.min, first.order.timestamp <= watermark else { return nil }
        return heap.removeMin().payload
    }
}
