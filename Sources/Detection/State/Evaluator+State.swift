import Correlation
import EventSchema
import Events
import Matching

/// What one evaluator takes over from another, of the same process or of one that is gone.
extension Evaluator {
    /// Takes over sources, time, and what the queries that stay hold. `old` is of no use afterwards.
    ///
    /// - Parameter origins: for each query, its index in `old`; nil for one that begins anew.
    func takeOver(_ old: Evaluator, origins: [Int?]) {
        clocks = EventClocks(queries.clockFields, lateness: options.lateness(for: role), continuing: old.clocks)
        laneSources = old.laneSources
        laneGenerations = old.laneGenerations
        taken = old.taken
        var successors: [Int: Int] = [:]
        for (query, origin) in origins.enumerated() {
            guard let origin else { continue }
            successors[origin] = query
            correlators[query] = old.correlators[origin]
            old.correlators[origin] = .none
        }
        for clock in old.clocks.indices {
            // In their order, which those of one event keep.
            while var hits = old.clocks.all[clock].held.next(upTo: EventTime(nanoseconds: .max)) {
                guard let query = successors[hits.query] else { continue }
                hits.query = query
                clocks.all[queries.timings[query].clock].held.insert(hits, event: hits.hits.event)
            }
        }
    }

    /// Counts on where `old`, whose queries were taken over before, has come to.
    ///
    /// - Parameter exceptions: for each exception, its index in `old`; nil for one that begins with nothing.
    func count(on old: Evaluator, exceptions: [Int?]) {
        totals = old.totals
        // What is left in `old` by now has not been taken over.
        formerCorrelations = old.correlationCounters
        for (index, former) in exceptions.enumerated() {
            if let former { exceptionCounters[index] = old.exceptionCounters[former] }
        }
    }

    /// Forgets what a query holds, so that ``takeStateChanges(_:)`` tells of it.
    func abandon(_ query: Int) {
        correlators[query].change(sequence: { $0.abandon() }, sample: { $0.abandon() })
    }

    /// Takes a record once more that the restored state names as held for the watermark, so that it waits again and
    /// does nothing else. Any other record is passed over: what it did is in the state.
    ///
    /// - Returns: false when the record matches nothing it was held for.
    func replay(_ payload: UnsafeRawBufferPointer, origin: RecordOrigin, source: Int) -> Bool {
        guard let awaited = clocks.takeAwaited(origin.offset, source: source) else { return true }
        guard decoder.decode(payload, normalizes: options.normalizes(origin.topic)) == nil else { return false }
        let event = decoder.event
        if let part = part(event, payload, origin, awaited[0].time, EventTime(nanoseconds: .max)) {
            wait(part)
            return true
        }
        let found = matcher.match(event)
        collectHits(found, event, event.timestamp ?? awaited[0].time)
        var isHeld = false
        let retained = RetainedEvent(copying: payload, origin: origin, timestamp: awaited[0].time)
        for (query, stages) in hitsByQuery where waits(query) {
            let timing = queries.timings[query]
            guard let time = awaited.first(where: { $0.clock == timing.clock })?.time else { continue }
            let own = RetainedEvent(
                retained, timestamp: time, tiebreaker: timing.tiebreakerField.flatMap { event.tiebreaker(in: $0) },
                isLate: clocks.all[timing.clock].watermark.hasPassed(time))
            clocks.all[timing.clock].held.insert(
                HeldHits(query: query, hits: StageHits(event: own, stages: stages), readAt: origin), event: own)
            isHeld = true
        }
        return isHeld
    }

    /// No more records of `source` are to be replayed; returns how many of those held did not come.
    func endReplay(_ source: Int) -> Int { clocks.endReplay(source) }

    /// Whether records that were held have not been replayed.
    var awaitsReplay: Bool { clocks.awaitedCount > 0 }

    func timeState(topics: [String]) -> TimeState {
        var state = clocks.state(topics: topics)
        state.taken = taken.state(topics: topics)
        return state
    }

    func restore(_ state: TimeState, topics: [String]) {
        clocks.restore(state, topics: topics)
        taken = TakenHits(state.taken, topics: topics)
        if case .correlate(let lanes, _) = role { announceRestored(lanes: lanes) }
    }

    var hasStateChanges: Bool { correlating.contains { correlators[$0].hasStateChanges } }

    /// Hands on what changed in the correlations since the last call.
    func takeStateChanges(_ body: (_ query: Int, StateChange) -> Void) {
        for query in correlating {
            func handOn(_ change: StateChange) { body(query, change) }
            correlators[query].change(
                sequence: { $0.takeChanges(handOn) }, sample: { $0.takeChanges(handOn) })
        }
    }

    /// Takes up what a query held for a key.
    func restore(
        _ query: Int, _ key: CorrelationKey, _ body: ArraySlice<UInt8>, events: [RetainedEvent?]
    ) throws(StateCorruption) -> RestoredKey {
        try correlators[query].restore(key, body, events: events)
    }

    func rewrite(_ query: Int, _ key: CorrelationKey) {
        correlators[query].change(sequence: { $0.rewrite(key) }, sample: { $0.rewrite(key) })
    }

    func finishRestoring() {
        for query in correlating {
            correlators[query].change(sequence: { $0.finishRestoring() }, sample: { $0.finishRestoring() })
        }
    }
}
