public import EQL
public import EventSchema
import Events

/// The events one sample query waits with: per key and stage the newest few.
///
/// Order does not matter to it: an event is tried as soon as it comes, and a sample is complete when
/// every stage has an event of its own and no two of them are further apart than `maxspan`. For each
/// other stage the newest fitting event is taken. An event takes part in one sample of a rule and key at
/// most: a process start with ten connections near it is one finding, not ten.
public struct SampleMachine {
    private struct Waiting: WindowState {
        var stages: [[RetainedEvent]]

        var partials: Int { stages.reduce(0) { $0 + $1.count } }

        mutating func expire(before horizon: EventTime) -> (oldest: EventTime?, dropped: Int) {
            var oldest: EventTime?
            let before = partials
            for index in stages.indices {
                stages[index].removeAll { $0.timestamp < horizon }
                for event in stages[index] { oldest = min(oldest ?? event.timestamp, event.timestamp) }
            }
            return (oldest, before - partials)
        }
    }

    private let stageCount: Int
    private let maxspan: Int64
    private let limits: CorrelationLimits
    private var windows = KeyedWindows<Waiting>()
    public private(set) var counters = CorrelationCounters()

    public init(_ plan: SamplePlan, limits: CorrelationLimits) {
        stageCount = plan.stages.count
        maxspan = plan.maxspan ?? limits.retention
        self.limits = limits
    }

    public var liveKeys: Int { windows.count }

    /// Takes the next event and hands on what it completes: at most one sample per key.
    public mutating func advance(_ hits: StageHits, completed: (Completion) -> Void) {
        // By key: an event with an array in a key field takes part under each of its values.
        var keys: [CorrelationKey] = []
        for (_, stageKeys) in hits.stages {
            for key in stageKeys where !keys.contains(key) { keys.append(key) }
        }
        for key in keys {
            let stages = hits.stages.filter { $0.keys.contains(key) }.map(\.stage)
            if let sample = complete(key, stages, hits.event) {
                counters.completed += 1
                completed(Completion(key: key, events: sample))
            } else {
                wait(key, stages, hits.event)
            }
        }
    }

    /// Forgets events that no event at or after `watermark` can be near enough to.
    public mutating func expire(watermark: EventTime) {
        counters.expired += UInt64(windows.expire(before: watermark.back(by: maxspan)))
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
                let sample = chosen.compactMap { $0 }
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

    private mutating func wait(_ key: CorrelationKey, _ stages: [Int], _ event: RetainedEvent) {
        let limit = limits.eventsPerStage
        let dropped = windows.withState(of: key) { state -> Int in
            var dropped = 0
            for stage in stages {
                // Kept in time order, so that the newest by event time is last whatever came first.
                let place = state.stages[stage].lastIndex { $0.timestamp <= event.timestamp }.map { $0 + 1 } ?? 0
                state.stages[stage].insert(event, at: place)
                if state.stages[stage].count > limit {
                    state.stages[stage].removeFirst()
                    dropped += 1
                }
            }
            return dropped
        }
        if let dropped {
            counters.overwritten += UInt64(dropped)
            return
        }
        var state = Waiting(stages: Array(repeating: [], count: stageCount))
        for stage in stages { state.stages[stage].append(event) }
        counters.evicted += UInt64(windows.insert(key, state, at: event.timestamp, limit: limits.keys))
    }
}
