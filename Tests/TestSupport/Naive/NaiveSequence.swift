import EQL
import EventSchema

/// A sequence: one slot per key and stage, and the newest predecessor wins.
///
/// Events that must be missing (`![…]`) take no part in the machine: a candidate that it completes is
/// tested against all their matches afterwards.
struct NaiveSequence {
    let query: SequenceQuery
    let holds: (EventQuery, NaiveEvent) -> Bool

    /// - Parameter events: in their order of time.
    func run(_ events: [NaiveEvent]) -> [NaiveGroup] {
        let terms = query.terms.flatMap { Array(repeating: $0, count: $0.runs) }
        let stages = terms.filter { !$0.isMissing }
        var slots: [NaiveKey: [[NaiveEvent]?]] = [:]
        var candidates: [NaiveGroup] = []

        for event in events {
            for stage in stages.indices.reversed() where holds(stages[stage].query, event) {
                for key in NaiveKeys.keys(query.keys + stages[stage].keys, of: event) {
                    let name = NaiveKeys.comparable(key)
                    var partial: [NaiveEvent] = []
                    if stage > 0 {
                        guard let waiting = slots[name]?[stage - 1] else { continue }
                        slots[name]?[stage - 1] = nil
                        partial = waiting
                        guard isWithinSpan(partial[0], event) else { continue }
                    }
                    partial.append(event)
                    if stage == stages.count - 1 {
                        candidates.append(NaiveGroup(key: key, events: partial))
                    } else {
                        slots[name, default: Array(repeating: nil, count: stages.count)][stage] = partial
                    }
                }
            }
            if let until = query.until, holds(until.query, event) {
                for key in NaiveKeys.keys(query.keys + until.keys, of: event) {
                    slots[NaiveKeys.comparable(key)] = nil
                }
            }
        }
        return terms.contains(where: \.isMissing) ? candidates.compactMap { complete($0, terms, events) } : candidates
    }

    private func isWithinSpan(_ first: NaiveEvent, _ last: NaiveEvent) -> Bool {
        guard let maxspan = query.maxspan else { return true }
        return last.timestamp.nanoseconds - first.timestamp.nanoseconds <= maxspan.nanoseconds
    }

    /// The candidate with its gaps in place, or nil when an event that must be missing is there.
    private func complete(_ candidate: NaiveGroup, _ terms: [Term], _ events: [NaiveEvent]) -> NaiveGroup? {
        guard let maxspan = query.maxspan?.nanoseconds else { return nil }
        let present = candidate.events.compactMap { $0 }
        let first = present[0].timestamp.nanoseconds
        let last = present[present.count - 1].timestamp.nanoseconds
        let key = NaiveKeys.comparable(candidate.key)
        func times(of term: Term) -> [Int64] {
            events.filter { event in
                holds(term.query, event)
                    && NaiveKeys.keys(query.keys + term.keys, of: event).map(NaiveKeys.comparable).contains(key)
            }.map(\.timestamp.nanoseconds)
        }

        var stages: [NaiveEvent?] = []
        var positives = 0
        var latestBefore: Int64?
        var earliestAfter: Int64?
        for term in terms {
            guard term.isMissing else {
                stages.append(present[positives])
                positives += 1
                continue
            }
            stages.append(nil)
            let times = times(of: term)
            if positives == 0 {
                latestBefore = (times.filter { $0 < first } + [latestBefore].compactMap(\.self)).max()
            } else if positives == present.count {
                earliestAfter = (times.filter { $0 > last } + [earliestAfter].compactMap(\.self)).min()
            } else {
                let from = present[positives - 1].timestamp.nanoseconds
                let to = present[positives].timestamp.nanoseconds
                if times.contains(where: { $0 > from && $0 < to }) { return nil }
            }
        }

        let leads = terms.first?.isMissing ?? false
        let trails = terms.last?.isMissing ?? false
        if leads, trails {
            if let latestBefore, let earliestAfter, earliestAfter - latestBefore <= maxspan { return nil }
        } else if let latestBefore, last - latestBefore <= maxspan {
            return nil
        } else if let earliestAfter, earliestAfter - first <= maxspan {
            return nil
        }
        return NaiveGroup(key: candidate.key, events: stages)
    }
}
