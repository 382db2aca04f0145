public import EventSchema
public import Events

/// An event that matched some stages of one correlation, with the keys it has in each.
public struct StageHits: Sendable {
    public var event: RetainedEvent
    /// Ascending by stage, as in ``CheckedQuery/stages``: what must be missing and `until` come after the last.
    public var stages: [(stage: Int, keys: [CorrelationKey])]

    public init(event: RetainedEvent, stages: [(stage: Int, keys: [CorrelationKey])]) {
        self.event = event
        self.stages = stages
    }
}

/// A sequence or sample that is complete.
public struct Completion: Sendable {
    public var key: CorrelationKey
    /// What stands at each step of the query as written: an event, or nil where one had to be missing.
    public var steps: [RetainedEvent?]

    public init(key: CorrelationKey, steps: [RetainedEvent?]) {
        self.key = key
        self.steps = steps
    }

    /// One event per stage, in stage order.
    public var events: [RetainedEvent] { steps.compactMap(\.self) }
}

/// Bounds of what one correlation may hold.
public struct CorrelationLimits: Hashable, Sendable {
    /// Live keys per rule and lane; beyond it the key known longest is evicted and counted.
    public var keys: Int
    /// Events a sample keeps per key and stage; beyond it the oldest is dropped and counted.
    public var eventsPerStage: Int
    /// Payload bytes per rule and lane; beyond it the keys known longest are evicted and counted.
    public var bytes: Int
    /// Whole sequences per rule and lane that wait for a missing event at their end not to come; beyond it
    /// the one that would wait least is given up and counted.
    public var candidates: Int
    /// Those of one key; beyond it the one that would wait least is given up and counted.
    public var candidatesPerKey: Int
    /// The `maxspan` of correlations that have none, in nanoseconds.
    public var retention: Int64

    public init(
        keys: Int = 100_000, eventsPerStage: Int = 8, bytes: Int = 256 << 20, candidates: Int = 100_000,
        candidatesPerKey: Int = 1000, retention: Int64 = 3_600_000_000_000
    ) {
        self.keys = keys
        self.eventsPerStage = eventsPerStage
        self.bytes = bytes
        self.candidates = candidates
        self.candidatesPerKey = candidatesPerKey
        self.retention = retention
    }

    /// For input that ends: nothing is evicted and nothing expires before its `maxspan`.
    public static let bounded = CorrelationLimits(
        keys: .max, eventsPerStage: .max, bytes: .max, candidates: .max, candidatesPerKey: .max, retention: .max)
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
    /// Whole sequences given up because an event was there that must be missing.
    public var rejected: UInt64 = 0
    /// Partial matches, and notes of events that must be missing, lost to a bound of ``CorrelationLimits``.
    public var evicted: UInt64 = 0

    public init() {}

    public static func += (left: inout CorrelationCounters, right: CorrelationCounters) {
        left.completed += right.completed
        left.expired += right.expired
        left.overwritten += right.overwritten
        left.ended += right.ended
        left.rejected += right.rejected
        left.evicted += right.evicted
    }
}

extension EventTime {
    /// `self - nanoseconds`, stopping at the ends of time.
    public func back(by nanoseconds: Int64) -> EventTime {
        let (value, overflow) = self.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return EventTime(nanoseconds: overflow ? (nanoseconds > 0 ? .min : .max) : value)
    }

    /// `self + nanoseconds`, stopping at the ends of time.
    public func ahead(by nanoseconds: Int64) -> EventTime {
        let (value, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return EventTime(nanoseconds: overflow ? (nanoseconds > 0 ? .max : .min) : value)
    }

    /// The length of time from `earlier` to `self`, stopping at the largest one.
    public func span(since earlier: EventTime) -> Int64 {
        let (value, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return overflow ? .max : value
    }
}
