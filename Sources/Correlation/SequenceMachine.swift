public import EQL
public import EventSchema
import Events

/// The slots of one sequence query: per key and stage at most one partial match.
///
/// Feed it hits in event order (time, tiebreaker, offset); it then gives what Elasticsearch's sequence
/// matcher gives for the same events:
///
///     event ─▶ for stage n, last to first, that it matches:
///                n = 0:                       slot 0 ◀─ new partial        (an older one is overwritten)
///                n > 0, slot n−1 is filled:   take it out
///                     longer than maxspan:    drop it
///                     n is the last stage:    complete
///                     otherwise:              slot n ◀─ partial + event    (an older one is overwritten)
///              then, if it matches `until`:   clear every slot of its key
///
/// Going backwards keeps one event from filling two stages; clearing last lets an event complete a
/// sequence that it would end.
public struct SequenceMachine {
    private struct Partial {
        var events: [RetainedEvent]

        var start: EventTime { events[0].timestamp }
    }

    private struct Slots: WindowState {
        var slots: [Partial?]

        var partials: Int { slots.count { $0 != nil } }

        mutating func expire(before horizon: EventTime) -> (oldest: EventTime?, dropped: Int) {
            var oldest: EventTime?
            var dropped = 0
            for index in slots.indices {
                guard let partial = slots[index] else { continue }
                if partial.start < horizon {
                    slots[index] = nil
                    dropped += 1
                } else {
                    oldest = min(oldest ?? partial.start, partial.start)
                }
            }
            return (oldest, dropped)
        }
    }

    private let stageCount: Int
    private let maxspan: Int64?
    private let limits: CorrelationLimits
    private var windows = KeyedWindows<Slots>()
    public private(set) var counters = CorrelationCounters()

    public init(_ plan: SequencePlan, limits: CorrelationLimits) {
        stageCount = plan.stages.count
        maxspan = plan.maxspan
        self.limits = limits
    }

    /// Keys with at least one partial match, or that had one until a moment ago.
    public var liveKeys: Int { windows.count }

    /// Takes the next event in order and hands on what it completes.
    public mutating func advance(_ hits: StageHits, completed: (Completion) -> Void) {
        for (stage, keys) in hits.stages.reversed() where stage < stageCount {
            for key in keys {
                if stage == 0 {
                    start(key, hits.event)
                } else if let whole = extend(key, to: stage, hits.event) {
                    counters.completed += 1
                    completed(Completion(key: key, events: whole))
                }
            }
        }
        for (stage, keys) in hits.stages where stage == stageCount {
            for key in keys { end(key) }
        }
    }

    /// Forgets partial matches that no event at or after `watermark` can complete.
    public mutating func expire(watermark: EventTime) {
        counters.expired += UInt64(windows.expire(before: watermark.back(by: maxspan ?? limits.retention)))
    }

    private mutating func start(_ key: CorrelationKey, _ event: RetainedEvent) {
        let partial = Partial(events: [event])
        let overwrote = windows.withState(of: key) { state in
            defer { state.slots[0] = partial }
            return state.slots[0] != nil
        }
        switch overwrote {
        case true?: counters.overwritten += 1
        case false?: break
        case nil:
            var state = Slots(slots: Array(repeating: nil, count: stageCount - 1))
            state.slots[0] = partial
            counters.evicted += UInt64(windows.insert(key, state, at: event.timestamp, limit: limits.keys))
        }
    }

    /// - Returns: the events of the whole sequence when `stage` was the last one.
    private mutating func extend(
        _ key: CorrelationKey, to stage: Int, _ event: RetainedEvent
    ) -> [RetainedEvent]? {
        enum Step {
            case none
            case tooLong
            case moved(overwrote: Bool)
            case complete([RetainedEvent])
        }
        let step = windows.withState(of: key) { state -> Step in
            guard var partial = state.slots[stage - 1] else { return .none }
            state.slots[stage - 1] = nil
            if let maxspan, event.timestamp.span(since: partial.start) > maxspan { return .tooLong }
            partial.events.append(event)
            if stage == stageCount - 1 { return .complete(partial.events) }
            defer { state.slots[stage] = partial }
            return .moved(overwrote: state.slots[stage] != nil)
        }
        switch step {
        case nil, Step.none?, .moved(overwrote: false)?: return nil
        case .moved(overwrote: true)?:
            counters.overwritten += 1
            return nil
        case .tooLong?:
            counters.expired += 1
            return nil
        case .complete(let events)?: return events
        }
    }

    private mutating func end(_ key: CorrelationKey) {
        let ended = windows.withState(of: key) { state in
            defer { for index in state.slots.indices { state.slots[index] = nil } }
            return state.partials
        }
        counters.ended += UInt64(ended ?? 0)
    }
}
