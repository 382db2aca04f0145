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
    fileprivate struct Waiting: WindowState {
        var stages: [[RetainedEvent]]

        var isEmpty: Bool { stages.allSatisfy(\.isEmpty) }

        func forEachEvent(_ body: (RetainedEvent) -> Void) {
            for events in stages { events.forEach(body) }
        }

        mutating func expire(before horizon: EventTime, dropped: (RetainedEvent) -> Void) -> EventTime? {
            var oldest: EventTime?
            for stage in stages.indices {
                stages[stage].removeAll { event in
                    let isDropped = event.timestamp < horizon
                    if isDropped { dropped(event) }
                    return isDropped
                }
                for event in stages[stage] { oldest = min(oldest ?? event.timestamp, event.timestamp) }
            }
            return oldest
        }
    }

    private let stageCount: Int
    private let maxspan: Int64
    private let limits: CorrelationLimits
    private var windows: KeyedWindows<Waiting>
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
                for index in state.stages.indices {
                    state.stages[index].removeAll { candidate in sample.contains { $0 === candidate } }
                }
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
        let time = event.timestamp
        if let trace {
            for stage in stages {
                trace(TraceStep(.started, key: key, stage: stage, partial: [event], cause: event))
            }
        }
        let dropped = windows.withState(of: key) { state -> [(stage: Int, event: RetainedEvent)] in
            var dropped: [(stage: Int, event: RetainedEvent)] = []
            for stage in stages {
                // Kept in time order, so that the newest by event time is last whatever came first.
                let place = state.stages[stage].lastIndex { $0.timestamp <= time }.map { $0 + 1 } ?? 0
                state.stages[stage].insert(event, at: place)
                while state.stages[stage].count > limit {
                    dropped.append((stage, state.stages[stage].removeFirst()))
                }
            }
            return dropped
        }
        if let dropped {
            counters.overwritten += UInt64(dropped.count)
            for (stage, lost) in dropped {
                trace?(TraceStep(.overwritten, key: key, stage: stage, partial: [lost], cause: event))
            }
        } else {
            var state = Waiting(stages: Array(repeating: [], count: stageCount))
            for stage in stages { state.stages[stage].append(event) }
            windows.insert(key, state, at: time)
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

    public mutating func finishRestoring() { windows.finishRestoring() }
}

extension SampleMachine.Waiting {
    func write(to writer: inout StateWriter, _ events: inout EventTable) {
        writer.append(count: stages.count)
        for stage in stages {
            writer.append(count: stage.count)
            for event in stage { writer.append(event, &events) }
        }
    }

    init(
        _ reader: inout StateReader, events: [RetainedEvent?], shape stageCount: Int, dropped: inout Int
    ) throws(StateCorruption) {
        stages = []
        guard try reader.count() == stageCount else { throw StateCorruption("the query has \(stageCount) stages") }
        for _ in 0..<stageCount {
            var stage: [RetainedEvent] = []
            for _ in 0..<(try reader.count()) {
                if let event = try reader.event(events) { stage.append(event) } else { dropped += 1 }
            }
            stages.append(stage)
        }
    }
}

extension StageHits {
    /// The stages that the event matches under `key`, ascending.
    func stages(of key: CorrelationKey) -> [Int] {
        stages.filter { $0.keys.contains(key) }.map(\.stage)
    }
}
