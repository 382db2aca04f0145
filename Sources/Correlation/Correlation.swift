import EventSchema
public import Events

/// An event that matched some stages of one correlation, with the keys it has in each.
public struct StageHits: Sendable {
    public var event: RetainedEvent
    /// Ascending by stage. The stage after the last is `until`.
    public var stages: [(stage: Int, keys: [CorrelationKey])]

    public init(event: RetainedEvent, stages: [(stage: Int, keys: [CorrelationKey])]) {
        self.event = event
        self.stages = stages
    }
}

/// A sequence or sample that is complete: one event per stage, in stage order.
public struct Completion: Sendable {
    public var key: CorrelationKey
    public var events: [RetainedEvent]
}

/// Bounds of what one correlation may hold.
public struct CorrelationLimits: Hashable, Sendable {
    /// Live keys per rule and lane; beyond it the key known longest is evicted and counted.
    public var keys: Int
    /// Events a sample keeps per key and stage; beyond it the oldest is dropped and counted.
    public var eventsPerStage: Int
    /// How long a correlation without `maxspan` remembers, in nanoseconds of event time.
    public var retention: Int64

    public init(keys: Int = 100_000, eventsPerStage: Int = 8, retention: Int64 = 3_600_000_000_000) {
        self.keys = keys
        self.eventsPerStage = eventsPerStage
        self.retention = retention
    }

    /// For input that ends: nothing is evicted and nothing expires before its `maxspan`.
    public static let bounded = CorrelationLimits(keys: .max, eventsPerStage: .max, retention: .max)
}

/// What happened inside the correlations of a lane; running totals.
public struct CorrelationCounters: Hashable, Sendable {
    /// Sequences and samples that became complete.
    public var completed: UInt64 = 0
    /// Partial matches whose next event came after `maxspan`, or never within it.
    public var expired: UInt64 = 0
    /// Partial matches replaced by a newer one at the same stage of the same key.
    public var overwritten: UInt64 = 0
    /// Partial matches ended by `until`.
    public var ended: UInt64 = 0
    /// Partial matches lost to a bound of ``CorrelationLimits``.
    public var evicted: UInt64 = 0

    public init() {}

    public static func += (left: inout CorrelationCounters, right: CorrelationCounters) {
        left.completed += right.completed
        left.expired += right.expired
        left.overwritten += right.overwritten
        left.ended += right.ended
        left.evicted += right.evicted
    }
}

extension EventTime {
    /// `self - nanoseconds`, stopping at the ends of time.
    func back(by nanoseconds: Int64) -> EventTime {
        let (value, overflow) = self.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return EventTime(nanoseconds: overflow ? (nanoseconds > 0 ? .min : .max) : value)
    }

    /// The length of time from `earlier` to `self`, stopping at the largest one.
    func span(since earlier: EventTime) -> Int64 {
        let (value, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return overflow ? .max : value
    }
}
