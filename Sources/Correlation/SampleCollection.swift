public import EQL
import EventSchema
import Events

/// A sample query without a window, over input that ends: what Elasticsearch's `sample` gives.
///
/// For each key with an event for every stage, in the order of the keys: the earliest choice of distinct
/// events, the first stage's first. One sample for each key unless more are asked for. Feed it in event order.
public struct SampleCollection {
    private let stageCount: Int
    private let samplesPerKey: Int
    private var events: [CorrelationKey: [[RetainedEvent]]] = [:]
    public private(set) var counters = CorrelationCounters()

    public init(_ plan: SamplePlan, samplesPerKey: Int = 1) {
        stageCount = plan.stages.count
        self.samplesPerKey = samplesPerKey
    }

    public var liveKeys: Int { events.count }

    public mutating func collect(_ hits: StageHits) {
        // A stage needs one event for each sample, and one for each other stage that may take one before it.
        let enough = samplesPerKey + stageCount - 1
        for (stage, keys) in hits.stages {
            for key in keys {
                if let stages = events[key], stages[stage].count == enough { continue }
                events[key, default: Array(repeating: [], count: stageCount)][stage].append(hits.event)
            }
        }
    }

    /// Hands on all samples, and forgets the events.
    public mutating func finish(completed: (Completion) -> Void) {
        for (key, stages) in events.sorted(by: { $0.key < $1.key }) {
            var remaining = samplesPerKey
            choose(from: stages, chosen: [], remaining: &remaining) { sample in
                completed(Completion(key: key, steps: sample))
            }
            counters.completed += UInt64(samplesPerKey - remaining)
        }
        events = [:]
    }

    private func choose(
        from stages: [[RetainedEvent]], chosen: [RetainedEvent], remaining: inout Int, found: ([RetainedEvent]) -> Void
    ) {
        guard chosen.count < stageCount else {
            remaining -= 1
            found(chosen)
            return
        }
        for event in stages[chosen.count] where remaining > 0 && !chosen.contains(where: { $0 === event }) {
            choose(from: stages, chosen: chosen + [event], remaining: &remaining, found: found)
        }
    }
}
