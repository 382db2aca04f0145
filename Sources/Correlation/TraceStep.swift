public import EventSchema
public import Events

/// One thing that happened to one partial match: what became of an event that matched a stage, and why a
/// partial match died.
///
/// Machines make these only for a caller who asks for them.
public struct TraceStep: Sendable {
    public enum Change: Hashable, Sendable {
        /// The event matches a stage, and nothing of its key stands before that stage.
        case ignored
        /// A new partial match; of a sample, an event that waits for the others.
        case started
        case advanced
        case completed
        /// All stages are there; it is complete unless an event that must be missing comes by this time.
        case awaiting(until: EventTime)
        /// A newer partial match took its place.
        case overwritten
        /// The event came this many nanoseconds after the end of `maxspan`.
        case tooLong(by: Int64)
        /// `maxspan` passed without the next event.
        case expired
        case endedByUntil
        /// An event that must be missing was there; `gap` is an index into ``SequencePlan/gaps``.
        case rejectedByMissing(gap: Int, at: EventTime)
        /// Lost to a bound of ``CorrelationLimits``.
        case evicted
    }

    public var change: Change
    public var key: CorrelationKey
    /// The stage whose slot this is about: the newest one the partial match has, or had when it died.
    public var stage: Int
    /// The events of the partial match.
    public var partial: [RetainedEvent]
    /// The event that caused the change; nil when time did.
    public var cause: RetainedEvent?

    public init(
        _ change: Change, key: CorrelationKey, stage: Int, partial: [RetainedEvent], cause: RetainedEvent? = nil
    ) {
        self.change = change
        self.key = key
        self.stage = stage
        self.partial = partial
        self.cause = cause
    }
}

/// Takes what a machine tells of its partial matches.
public typealias CorrelationTrace = (TraceStep) -> Void
