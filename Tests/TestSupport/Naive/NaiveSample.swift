import EQL
import EventSchema

/// An unordered correlation.
///
/// Without a window, each key gives one sample: the first that there is when all choices of distinct events
/// are listed, each stage's in order of time.
///
/// With one, events are taken as they arrive. A sample is complete as soon as an event and earlier ones of the
/// same key fill every stage with distinct events that no sample of the key has used, all within `maxspan`.
/// The new event takes the first stage that lets the others be filled; each of those, in order, takes the
/// newest event (by time, then arrival) that leaves enough for the rest.
struct NaiveSample {
    let query: SampleQuery
    let holds: (EventQuery, NaiveEvent) -> Bool

    func run(_ events: [NaiveEvent]) -> [NaiveGroup] {
        query.maxspan == nil ? samplesOfKeys(events) : samplesInWindow(events)
    }

    private func samplesOfKeys(_ events: [NaiveEvent]) -> [NaiveGroup] {
        let stages = query.terms.map { term in
            events.filter { holds(term.query, $0) }
                .map { (event: $0, keys: NaiveKeys.keys(query.keys + term.keys, of: $0)) }
        }
        var keys: [NaiveKey] = []
        for key in stages.joined().flatMap(\.keys)
        where !keys.contains(where: { NaiveKeys.comparable($0) == NaiveKeys.comparable(key) }) {
            keys.append(key)
        }
        return keys.sorted(by: NaiveKeys.precedes).compactMap { key in
            let choices = stages.map { stage in
                stage.filter { $0.keys.map(NaiveKeys.comparable).contains(NaiveKeys.comparable(key)) }.map(\.event)
            }
            return firstChoice(choices, chosen: []).map { NaiveGroup(key: key, events: $0) }
        }
    }

    private func firstChoice(_ stages: [[NaiveEvent]], chosen: [NaiveEvent]) -> [NaiveEvent]? {
        guard chosen.count < stages.count else { return chosen }
        return stages[chosen.count].lazy.filter { event in !chosen.contains { $0.index == event.index } }
            .compactMap { firstChoice(stages, chosen: chosen + [$0]) }.first
    }

    private func samplesInWindow(_ events: [NaiveEvent]) -> [NaiveGroup] {
        var waiting: [NaiveKey: [[NaiveEvent]]] = [:]
        var used: [NaiveKey: Set<Int>] = [:]
        var samples: [NaiveGroup] = []
        for event in events {
            var stagesByKey: [(key: NaiveKey, stages: [Int])] = []
            for stage in query.terms.indices where holds(query.terms[stage].query, event) {
                for key in NaiveKeys.keys(query.keys + query.terms[stage].keys, of: event) {
                    let name = NaiveKeys.comparable(key)
                    waiting[name, default: Array(repeating: [], count: query.terms.count)][stage].append(event)
                    if let place = stagesByKey.firstIndex(where: { NaiveKeys.comparable($0.key) == name }) {
                        stagesByKey[place].stages.append(stage)
                    } else {
                        stagesByKey.append((key, [stage]))
                    }
                }
            }
            stagesByKey.sort { NaiveKeys.precedes($0.key, $1.key) }
            for (key, stages) in stagesByKey {
                let name = NaiveKeys.comparable(key)
                let sample = stages.lazy.compactMap { own in
                    fill(0, waiting[name] ?? [], chosen: [], new: event, at: own, used: used[name] ?? [])
                }.first
                guard let sample else { continue }
                used[name, default: []].formUnion(sample.map(\.index))
                samples.append(NaiveGroup(key: key, events: sample))
            }
        }
        return samples
    }

    /// Fills the stages from `stage` on; nil when that is impossible.
    private func fill(
        _ stage: Int, _ waiting: [[NaiveEvent]], chosen: [NaiveEvent], new: NaiveEvent, at own: Int, used: Set<Int>
    ) -> [NaiveEvent]? {
        if stage == waiting.count { return isWithinSpan(chosen) ? chosen : nil }
        let newestFirst = waiting[stage].sorted { ($0.timestamp, $0.index) > ($1.timestamp, $1.index) }
        for event in newestFirst where !used.contains(event.index) {
            guard (event.index == new.index) == (stage == own), !chosen.contains(where: { $0.index == event.index })
            else { continue }
            if let full = fill(stage + 1, waiting, chosen: chosen + [event], new: new, at: own, used: used) {
                return full
            }
        }
        return nil
    }

    private func isWithinSpan(_ events: [NaiveEvent]) -> Bool {
        guard let maxspan = query.maxspan else { return true }
        let times = events.map(\.timestamp.nanoseconds)
        guard let first = times.min(), let last = times.max() else { return true }
        return last - first <= maxspan.nanoseconds
    }
}
