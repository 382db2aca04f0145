public import EQL
public import EventSchema
public import Events

/// The events one sample query waits with: per key and stage the newest few.
///
/// Order does not matter to it: an event is tried as soon as it comes, and a sample is complete when
/// every stage has an event of its own and no two of them are further apart than `maxspan`. For each
/// other stage the newest fitting event is taken. An event takes part in one sample of a rule and key at
/// most: a process start with ten connections near it is one finding, not ten.
public struct SampleMachine {
    private let stageCount: Int
    private let maxspan: Int64
    private let limits: CorrelationLimits
    private var windows: KeyedWindows<SampleState>
    public private(set) var counters = CorrelationCounters()

    /// - Parameter tracksChanges: whether `takeChanges` will be called.
    public init(_ plan: SamplePlan, limits: CorrelationLimits, tracksChanges: Bool = false) {
        windows = KeyedWindows(tracksChanges: tracksChanges)
        stageCount = plan.stages.count
        maxspan = plan.maxspan ?? limits.retention
        self.limits = limits
    }

    /// Keys that something is held for.
    public var liveKeys: Int { windows.count }

    /// Payload bytes of what is held.
    public var heldBytes: Int { windows.bytes }

    /// Whether the record waits for the others of the key already.
    public func holds(_ origin: RecordOrigin, for key: CorrelationKey) -> Bool {
        guard let state = windows[key] else { return false }
        var holds = false
        state.forEachEvent { if $0.origin == origin { holds = true } }
        return holds
    }

    /// Takes the next event and hands on what it completes: at most one sample per key, in order of the keys.
    public mutating func advance(
        _ hits: StageHits, trace: CorrelationTrace? = nil, completed: (Completion) -> Void
    ) {
        // By key: an event with an array in a key field takes part under each of its values.
        var keys: [CorrelationKey] = []
        for (_, stageKeys) in hits.stages {
            for key in stageKeys where !keys.contains(key) { keys.append(key) }
        }
        if keys.count > 1 { keys.sort() }
        for key in keys {
            let stages = hits.stages(of: key)
            if let sample = complete(key, stages, hits.event) {
                counters.completed += 1
                trace?(TraceStep(.completed, key: key, stage: stageCount - 1, partial: sample, cause: hits.event))
                completed(Completion(key: key, steps: sample))
            } else {
                wait(key, stages, hits.event, trace)
            }
        }
    }

    /// Forgets events that no event at or after `watermark` can be near enough to.
    public mutating func expire(watermark: EventTime, trace: CorrelationTrace? = nil) {
        var expired: UInt64 = 0
        windows.expire(before: watermark.back(by: maxspan)) { key, event in
            expired += 1
            trace?(TraceStep(.expired, key: key, stage: 0, partial: [event]))
        }
        counters.expired += expired
    }

    private mutating func complete(
        _ key: CorrelationKey, _ stages: [Int], _ event: RetainedEvent
    ) -> [RetainedEvent]? {
        let stageCount = stageCount
        let maxspan = maxspan
        return windows.withState(of: key) { state -> [RetainedEvent]? in
            for stage in stages {
                var chosen = [RetainedEvent?](repeating: nil, count: stageCount)
                chosen[stage] = event
                guard Self.fill(&chosen, from: state.stages, stage: 0, maxspan: maxspan) else { continue }
                let sample = chosen.compactMap(\.self)
                state.remove(sample)
                return sample
            }
            return nil
        } ?? nil
    }

    /// Fills the empty places of `chosen` from `stage` on, newest first, keeping all within `maxspan`.
    private static func fill(
        _ chosen: inout [RetainedEvent?], from waiting: [[RetainedEvent]], stage: Int, maxspan: Int64
    ) -> Bool {
        guard stage < chosen.count else { return true }
        if chosen[stage] != nil { return fill(&chosen, from: waiting, stage: stage + 1, maxspan: maxspan) }
        for candidate in waiting[stage].reversed() {
            let fits = chosen.allSatisfy { other in
                guard let other else { return true }
                let (earlier, later) =
                    other.timestamp < candidate.timestamp
                    ? (other.timestamp, candidate.timestamp) : (candidate.timestamp, other.timestamp)
                return other !== candidate && later.span(since: earlier) <= maxspan
            }
            guard fits else { continue }
            chosen[stage] = candidate
            if fill(&chosen, from: waiting, stage: stage + 1, maxspan: maxspan) { return true }
            chosen[stage] = nil
        }
        return false
    }

    private mutating func wait(
        _ key: CorrelationKey, _ stages: [Int], _ event: RetainedEvent, _ trace: CorrelationTrace?
    ) {
        let limit = limits.eventsPerStage
        if let trace {
            for stage in stages {
                trace(TraceStep(.started, key: key, stage: stage, partial: [event], cause: event))
            }
        }
        let dropped = windows.withState(of: key) { state -> [(stage: Int, event: RetainedEvent)] in
            var dropped: [(stage: Int, event: RetainedEvent)] = []
            for stage in stages {
                state.insert(event, in: stage)
                while let lost = state.takeOldest(of: stage, beyond: limit) { dropped.append((stage, lost)) }
            }
            return dropped
        }
        if let dropped {
            counters.overwritten += UInt64(dropped.count)
            for (stage, lost) in dropped {
                trace?(TraceStep(.overwritten, key: key, stage: stage, partial: [lost], cause: event))
            }
        } else {
            var state = SampleState(stageCount: stageCount)
            for stage in stages { state.insert(event, in: stage) }
            windows.insert(key, state, at: event.timestamp)
        }
        var evicted: UInt64 = 0
        windows.trim(toKeys: limits.keys, bytes: limits.bytes) { key, state in
            for (stage, waiting) in state.stages.enumerated() {
                evicted += UInt64(waiting.count)
                for event in waiting { trace?(TraceStep(.evicted, key: key, stage: stage, partial: [event])) }
            }
        }
        counters.evicted += evicted
    }

    // MARK: State

    public var hasChanges: Bool { windows.hasChanges }

    /// Hands on what changed since the last call, for the records of these keys.
    public mutating func takeChanges(_ body: (StateChange) -> Void) { windows.takeChanges(body) }

    /// Takes up a key from its record: before any event, and followed by `finishRestoring`.
    ///
    /// - Parameter events: those of the record, nil where one is missing.
    public mutating func restore(
        _ key: CorrelationKey, _ body: ArraySlice<UInt8>, events: [RetainedEvent?]
    ) throws(StateCorruption) -> RestoredKey {
        try windows.restore(key, body, events: events, shape: stageCount)
    }

    /// Has the record of a key written again.
    public mutating func rewrite(_ key: CorrelationKey) { windows.rewrite(key) }

    /// Forgets everything and is of no further use, but for `takeChanges`.
    public mutating func abandon() { windows.removeAll() }

    public mutating func finishRestoring() { windows.finishRestoring() }
}

extension StageHits {
    /// The stages that the event matches under `key`, ascending.
    func stages(of key: CorrelationKey) -> [Int] {
        stages.filter { $0.keys.contains(key) }.map(\.stage)
    }
}
