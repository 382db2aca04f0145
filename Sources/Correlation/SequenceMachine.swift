public import EQL
public import EventSchema
public import Events
import HeapModule

/// The slots of one sequence query: per key and stage at most one partial match.
///
/// Feed it hits in event order (time, tiebreaker, offset); it then gives what Elasticsearch's sequence
/// matcher gives for the same events:
///
///     event ─▶ for stage n, last to first, that it matches:
///                n = 0:                       slot 0 ◀─ new partial        (an older one is overwritten)
///                n > 0, slot n−1 is filled:   take it out
///                     longer than maxspan:    drop it
///                     n is the last stage:    candidate
///                     otherwise:              slot n ◀─ partial + event    (an older one is overwritten)
///              then, for each `![…]` that it matches: note it where it counts
///              then, if it matches `until`:   clear every slot of its key
///
/// Going backwards keeps one event from filling two stages; clearing last lets an event complete a
/// sequence that it would end.
///
/// A candidate is complete unless an event of its key is where one must be missing, strictly between the
/// events around it:
///
///     ![x] at the beginning    the newest x before the first event, no more than maxspan before the last
///     ![x] between             any x
///     ![x] at the end          the earliest x after the last event, no more than maxspan after the first
///     at both                  both, and no more than maxspan apart
///
/// With one at the end, a candidate waits until the watermark has passed the time at which x could still
/// come. Nothing is overwritten when there is but one stage: every match of it is a candidate.
public struct SequenceMachine {
    private let stageCount: Int
    private let gaps: [SequencePlan.Gap]
    private let steps: [SequencePlan.Step]
    private let span: Int64
    private let limits: CorrelationLimits
    private var windows: KeyedWindows<SequenceState>
    /// One for each candidate of the windows; those of candidates that are no more stay until their time.
    private var deadlines = Heap<Deadline>()
    private var lastCandidate: UInt64 = 0
    /// Candidates of the windows.
    private var candidateCount = 0
    public private(set) var counters = CorrelationCounters()

    private struct Deadline: Comparable {
        var time: EventTime
        var number: UInt64
        var key: CorrelationKey

        static func < (left: Deadline, right: Deadline) -> Bool {
            (left.time, left.number) < (right.time, right.number)
        }
        static func == (left: Deadline, right: Deadline) -> Bool { left.number == right.number }
    }

    /// - Parameter tracksChanges: whether `takeChanges` will be called.
    public init(_ plan: SequencePlan, limits: CorrelationLimits, tracksChanges: Bool = false) {
        windows = KeyedWindows(tracksChanges: tracksChanges)
        stageCount = plan.stages.count
        gaps = plan.gaps
        steps = plan.steps
        span = plan.maxspan ?? limits.retention
        self.limits = limits
    }

    /// Keys that something is held for.
    public var liveKeys: Int { windows.count }

    /// Payload bytes of what is held.
    public var heldBytes: Int { windows.bytes }

    /// Whether a partial match or candidate of the key has the record already.
    public func holds(_ origin: RecordOrigin, for key: CorrelationKey) -> Bool {
        guard let state = windows[key] else { return false }
        var holds = false
        state.forEachEvent { if $0.origin == origin { holds = true } }
        return holds
    }

    private var leads: Bool { gaps.first?.position == 0 }
    private var trails: Bool { gaps.last?.position == stageCount }

    // MARK: Events

    /// Takes the next event in order and hands on what it completes, in order of the keys.
    public mutating func advance(
        _ hits: StageHits, trace: CorrelationTrace? = nil, completed: (Completion) -> Void
    ) {
        for (stage, keys) in hits.stages.reversed() where stage < stageCount {
            for key in keys {
                guard let partial = partial(key, reaching: stage, by: hits.event, trace) else { continue }
                if stage == stageCount - 1 {
                    judge(partial, key, trace, completed)
                } else {
                    store(partial, in: stage, key, trace)
                }
            }
        }
        for (stage, keys) in hits.stages where stage >= stageCount {
            for key in keys {
                if gaps.indices.contains(stage - stageCount) {
                    note(Sighting(gap: stage - stageCount, time: hits.event.timestamp), key, by: hits.event, trace)
                } else {
                    end(key, by: hits.event, trace)
                }
            }
        }
    }

    /// The partial match that `event` begins or, taken out of its slot, goes on with.
    private mutating func partial(
        _ key: CorrelationKey, reaching stage: Int, by event: RetainedEvent, _ trace: CorrelationTrace?
    ) -> PartialSequence? {
        if stage == 0 {
            let before = leads ? windows[key]?.leading.newest(before: event.timestamp) : nil
            return PartialSequence(event, before: before)
        }
        let waiting = windows.withState(of: key) { $0.put(nil, in: stage - 1) }
        guard case .some(var partial?) = waiting else {
            trace?(TraceStep(.ignored, key: key, stage: stage, partial: [], cause: event))
            return nil
        }
        let length = event.timestamp.span(since: partial.start)
        guard length <= span else {
            counters.expired += 1
            trace?(
                TraceStep(
                    .tooLong(by: length - span), key: key, stage: stage - 1, partial: partial.events, cause: event))
            return nil
        }
        partial.append(event)
        return partial
    }

    private mutating func store(
        _ partial: PartialSequence, in stage: Int, _ key: CorrelationKey, _ trace: CorrelationTrace?
    ) {
        let overwritten = change(key, at: partial.start, trace) { $0.put(partial, in: stage) }
        if let overwritten {
            counters.overwritten += 1
            trace?(
                TraceStep(
                    .overwritten, key: key, stage: stage, partial: overwritten.events, cause: partial.events.last))
        }
        trace?(
            TraceStep(
                stage == 0 ? .started : .advanced, key: key, stage: stage, partial: partial.events,
                cause: partial.events.last))
    }

    private mutating func end(_ key: CorrelationKey, by event: RetainedEvent, _ trace: CorrelationTrace?) {
        let ended = windows.withState(of: key) { $0.takeSlots() }
        for (stage, partial) in (ended ?? []).enumerated() {
            guard let partial else { continue }
            counters.ended += 1
            trace?(TraceStep(.endedByUntil, key: key, stage: stage, partial: partial.events, cause: event))
        }
    }

    // MARK: Missing events

    /// Notes an event that must be missing.
    private mutating func note(
        _ sighting: Sighting, _ key: CorrelationKey, by event: RetainedEvent, _ trace: CorrelationTrace?
    ) {
        let position = gaps[sighting.gap].position
        if position == 0 {
            change(key, at: sighting.time, trace) { $0.leading.note(sighting) }
        } else if position == stageCount {
            let rejected = takeCandidates(of: key) {
                $0.sequence.end < sighting.time && sighting.time <= $0.deadline
            }
            for candidate in rejected { reject(candidate.sequence, sighting, key, by: event, trace) }
        } else {
            _ = windows.withState(of: key) { $0.note(sighting, in: position - 1) }
        }
    }

    /// Decides over a sequence that has all its events, or puts it off.
    private mutating func judge(
        _ sequence: PartialSequence, _ key: CorrelationKey, _ trace: CorrelationTrace?,
        _ completed: (Completion) -> Void
    ) {
        if let rejection = sequence.rejection {
            reject(sequence, rejection, key, by: sequence.events.last, trace)
        } else if trails {
            // With one at both ends, what comes after the end counts from what came before the beginning; when
            // nothing did, nothing can reject the candidate, and it waits only for its turn.
            let deadline = leads ? sequence.before?.time.ahead(by: span) : sequence.start.ahead(by: span)
            put(sequence, off: max(deadline ?? sequence.end, sequence.end), key, trace)
        } else if let before = sequence.before, sequence.end.span(since: before.time) <= span {
            reject(sequence, before, key, by: sequence.events.last, trace)
        } else {
            complete(sequence, key, trace, completed)
        }
    }

    private mutating func put(
        _ sequence: PartialSequence, off deadline: EventTime, _ key: CorrelationKey, _ trace: CorrelationTrace?
    ) {
        while candidateCount >= limits.candidates, let first = deadlines.popMin() { giveUp(first, trace) }
        if let waiting = windows[key]?.candidates, waiting.count >= limits.candidatesPerKey,
            let first = waiting.min(by: { ($0.deadline, $0.number) < ($1.deadline, $1.number) })
        {
            giveUp(Deadline(time: first.deadline, number: first.number, key: key), trace)
        }
        lastCandidate += 1
        candidateCount += 1
        let candidate = SequenceCandidate(number: lastCandidate, sequence: sequence, deadline: deadline)
        deadlines.insert(Deadline(time: deadline, number: lastCandidate, key: key))
        if deadlines.count > 2 * candidateCount + 1024 { dropOldDeadlines() }
        change(key, at: sequence.start, trace) { $0.append(candidate) }
        trace?(
            TraceStep(
                .awaiting(until: deadline), key: key, stage: stageCount - 1, partial: sequence.events,
                cause: sequence.events.last))
    }

    /// Loses a candidate, if it is still one, to a bound.
    private mutating func giveUp(_ deadline: Deadline, _ trace: CorrelationTrace?) {
        guard let lost = take(deadline) else { return }
        counters.evicted += 1
        trace?(TraceStep(.evicted, key: deadline.key, stage: stageCount - 1, partial: lost.events))
    }

    /// The candidate of a deadline, if it is still one.
    private mutating func take(_ deadline: Deadline) -> PartialSequence? {
        takeCandidates(of: deadline.key) { $0.number == deadline.number }.first?.sequence
    }

    private mutating func takeCandidates(
        of key: CorrelationKey, where isTaken: (SequenceCandidate) -> Bool
    ) -> [SequenceCandidate] {
        guard let waiting = windows[key]?.candidates, waiting.contains(where: isTaken) else { return [] }
        let taken = windows.withState(of: key) { $0.takeCandidates(where: isTaken) } ?? []
        candidateCount -= taken.count
        return taken
    }

    private mutating func dropOldDeadlines() {
        let live = deadlines.unordered.filter { deadline in
            windows[deadline.key]?.candidates.contains { $0.number == deadline.number } ?? false
        }
        deadlines = Heap(live)
    }

    private mutating func reject(
        _ sequence: PartialSequence, _ sighting: Sighting, _ key: CorrelationKey, by event: RetainedEvent?,
        _ trace: CorrelationTrace?
    ) {
        counters.rejected += 1
        trace?(
            TraceStep(
                .rejectedByMissing(gap: sighting.gap, at: sighting.time), key: key, stage: stageCount - 1,
                partial: sequence.events, cause: event))
    }

    private mutating func complete(
        _ sequence: PartialSequence, _ key: CorrelationKey, _ trace: CorrelationTrace?,
        _ completed: (Completion) -> Void
    ) {
        counters.completed += 1
        trace?(
            TraceStep(
                .completed, key: key, stage: stageCount - 1, partial: sequence.events, cause: sequence.events.last))
        let placed = steps.map { step -> RetainedEvent? in
            if case .stage(let index) = step { sequence.events[index] } else { nil }
        }
        completed(Completion(key: key, steps: placed))
    }

    // MARK: Time

    /// Hands on the candidates that nothing can reject any more, the earliest deadline first, and forgets
    /// partial matches that no event after `watermark` can complete.
    public mutating func expire(
        watermark: EventTime, trace: CorrelationTrace? = nil, completed: (Completion) -> Void
    ) {
        while let first = deadlines.min, first.time <= watermark {
            deadlines.removeMin()
            if let sequence = take(first) { complete(sequence, first.key, trace, completed) }
        }
        var expired: UInt64 = 0
        windows.expire(before: watermark.back(by: span)) { key, partial in
            expired += 1
            trace?(TraceStep(.expired, key: key, stage: partial.events.count - 1, partial: partial.events))
        }
        counters.expired += expired
    }

    /// Ends the input, so that what has not come will not: every candidate is complete, in the order of
    /// their last events and keys.
    public mutating func finish(trace: CorrelationTrace? = nil, completed: (Completion) -> Void) {
        let remaining = deadlines.unordered.sorted { $0.number < $1.number }
        deadlines = Heap()
        for deadline in remaining {
            if let sequence = take(deadline) { complete(sequence, deadline.key, trace, completed) }
        }
    }

    // MARK: Keys

    /// Changes the state of a key, which is made known if it is not; another may be evicted for it.
    @discardableResult
    private mutating func change<Result>(
        _ key: CorrelationKey, at time: EventTime, _ trace: CorrelationTrace?,
        _ body: (inout SequenceState) -> Result
    ) -> Result {
        let result: Result
        if let changed = windows.withState(of: key, body) {
            result = changed
        } else {
            var state = SequenceState(stageCount: stageCount)
            result = body(&state)
            windows.insert(key, state, at: time)
        }
        var evicted = 0
        var lost = 0
        windows.trim(toKeys: limits.keys, bytes: limits.bytes) { key, state in
            evicted += state.losses
            lost += state.candidates.count
            guard let trace else { return }
            for partial in state.slots + state.candidates.map(\.sequence) {
                guard let events = partial?.events else { continue }
                trace(TraceStep(.evicted, key: key, stage: events.count - 1, partial: events))
            }
        }
        counters.evicted += UInt64(evicted)
        candidateCount -= lost
        return result
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
        try windows.restore(
            key, body, events: events, shape: SequenceState.Shape(stages: stageCount, gaps: gaps.count))
    }

    /// Has the record of a key written again.
    public mutating func rewrite(_ key: CorrelationKey) { windows.rewrite(key) }

    /// Forgets everything and is of no further use, but for `takeChanges`.
    public mutating func abandon() { windows.removeAll() }

    public mutating func finishRestoring() {
        windows.finishRestoring()
        var restored: [Deadline] = []
        windows.visit { key, state in
            for candidate in state.candidates {
                restored.append(Deadline(time: candidate.deadline, number: candidate.number, key: key))
            }
        }
        deadlines = Heap(restored)
        candidateCount = restored.count
        lastCandidate = restored.map(\.number).max() ?? 0
    }
}
