public import EQL
public import EventSchema
import Events

/// The events one sample query waits with: per key and stage the newest few.
///
/// Order does not matter to it: an event is tried as soon as it comes, and a sample is complete when
/// every stage has an event of its own and no two of them are further apart than `maxspan`. For each
/// other stage the newest fitting event is taken. An event takes part in one sample of a rule at most:
/// a process start with ten connections near it is one finding, not ten.
public struct SampleMachine {
    /// An event that waits, and every key that it waits under.
    private struct Waiter {
        var event: RetainedEvent
        var keys: [CorrelationKey]
    }

    private struct Waiting: WindowState {
        var stages: [[Waiter]]

        mutating func remove(_ event: RetainedEvent) {
            for stage in stages.indices { stages[stage].removeAll { $0.event === event } }
        }

        mutating func expire(before horizon: EventTime, dropped: (RetainedEvent) -> Void) -> EventTime? {
            var oldest: EventTime?
            for stage in stages.indices {
                stages[stage].removeAll { waiter in
                    let isDropped = waiter.event.timestamp < horizon
                    if isDropped { dropped(waiter.event) }
                    return isDropped
                }
                for waiter in stages[stage] { oldest = min(oldest ?? waiter.event.timestamp, waiter.event.timestamp) }
            }
            return oldest
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

    /// Takes the next event and hands on the sample that it completes, if any: under the first of its keys
    /// that has all the others.
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
            guard let sample = complete(key, hits.stages(of: key), hits.event) else { continue }
            for waiter in sample {
                for key in waiter.keys { _ = windows.withState(of: key) { $0.remove(waiter.event) } }
            }
            let events = sample.map(\.event)
            counters.completed += 1
            trace?(TraceStep(.completed, key: key, stage: stageCount - 1, partial: events, cause: hits.event))
            completed(Completion(key: key, steps: events))
            return
        }
        for key in keys { wait(key, hits.stages(of: key), Waiter(event: hits.event, keys: keys), trace) }
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

    private mutating func complete(_ key: CorrelationKey, _ stages: [Int], _ event: RetainedEvent) -> [Waiter]? {
        let stageCount = stageCount
        let maxspan = maxspan
        return windows.withState(of: key) { state -> [Waiter]? in
            for stage in stages {
                var chosen = [Waiter?](repeating: nil, count: stageCount)
                chosen[stage] = Waiter(event: event, keys: [])
                if Self.fill(&chosen, from: state.stages, stage: 0, maxspan: maxspan) {
                    return chosen.compactMap(\.self)
                }
            }
            return nil
        } ?? nil
    }

    /// Fills the empty places of `chosen` from `stage` on, newest first, keeping all within `maxspan`.
    private static func fill(
        _ chosen: inout [Waiter?], from waiting: [[Waiter]], stage: Int, maxspan: Int64
    ) -> Bool {
        guard stage < chosen.count else { return true }
        if chosen[stage] != nil { return fill(&chosen, from: waiting, stage: stage + 1, maxspan: maxspan) }
        for candidate in waiting[stage].reversed() {
            let fits = chosen.allSatisfy { other in
                guard let other = other?.event else { return true }
                let (earlier, later) =
                    other.timestamp < candidate.event.timestamp
                    ? (other.timestamp, candidate.event.timestamp) : (candidate.event.timestamp, other.timestamp)
                return other !== candidate.event && later.span(since: earlier) <= maxspan
            }
            guard fits else { continue }
            chosen[stage] = candidate
            if fill(&chosen, from: waiting, stage: stage + 1, maxspan: maxspan) { return true }
            chosen[stage] = nil
        }
        return false
    }

    private mutating func wait(
        _ key: CorrelationKey, _ stages: [Int], _ waiter: Waiter, _ trace: CorrelationTrace?
    ) {
        let limit = limits.eventsPerStage
        let time = waiter.event.timestamp
        if let trace {
            for stage in stages {
                trace(TraceStep(.started, key: key, stage: stage, partial: [waiter.event], cause: waiter.event))
            }
        }
        let dropped = windows.withState(of: key) { state -> [(stage: Int, event: RetainedEvent)] in
            var dropped: [(stage: Int, event: RetainedEvent)] = []
            for stage in stages {
                // Kept in time order, so that the newest by event time is last whatever came first.
                let place = state.stages[stage].lastIndex { $0.event.timestamp <= time }.map { $0 + 1 } ?? 0
                state.stages[stage].insert(waiter, at: place)
                if state.stages[stage].count > limit {
                    dropped.append((stage, state.stages[stage].removeFirst().event))
                }
            }
            return dropped
        }
        if let dropped {
            counters.overwritten += UInt64(dropped.count)
            guard let trace else { return }
            for (stage, event) in dropped {
                trace(TraceStep(.overwritten, key: key, stage: stage, partial: [event], cause: waiter.event))
            }
            return
        }
        var state = Waiting(stages: Array(repeating: [], count: stageCount))
        for stage in stages { state.stages[stage].append(waiter) }
        var evicted: UInt64 = 0
        windows.insert(key, state, at: time, limit: limits.keys) { key, state in
            for (stage, waiters) in state.stages.enumerated() {
                evicted += UInt64(waiters.count)
                guard let trace else { continue }
                for waiter in waiters {
                    trace(TraceStep(.evicted, key: key, stage: stage, partial: [waiter.event]))
                }
            }
        }
        counters.evicted += evicted
    }
}

extension StageHits {
    /// The stages that the event matches under `key`, ascending.
    func stages(of key: CorrelationKey) -> [Int] {
        stages.filter { $0.keys.contains(key) }.map(\.stage)
    }
}
