import EventSchema
import Events

/// The beginning of a sequence: the events of its first stages.
struct PartialSequence {
    private(set) var events: [RetainedEvent]
    /// Payload bytes of its events.
    private(set) var bytes: Int
    /// The newest match of a leading `![…]` before the first event.
    let before: Sighting?
    /// The earliest match of a `![…]` between the newest event and the next.
    private(set) var after: Sighting?
    /// What stood where it must be missing. The sequence goes on and takes the places it would have taken:
    /// only whole ones are rejected.
    private(set) var rejection: Sighting?

    init(_ event: RetainedEvent, before: Sighting?) {
        self.init(events: [event], before: before)
    }

    /// - Precondition: there is an event.
    init(events: [RetainedEvent], before: Sighting?, after: Sighting? = nil, rejection: Sighting? = nil) {
        self.events = events
        bytes = events.reduce(0) { $0 + $1.bytes.count }
        self.before = before
        self.after = after
        self.rejection = rejection
    }

    var start: EventTime { events[0].timestamp }
    var end: EventTime { events[events.count - 1].timestamp }

    mutating func append(_ event: RetainedEvent) {
        // Strictly between: what happens in the instant of an event is neither before nor after it.
        if rejection == nil, let after, after.time < event.timestamp { rejection = after }
        after = nil
        events.append(event)
        bytes += event.bytes.count
    }

    mutating func note(_ sighting: Sighting) {
        guard end < sighting.time else { return }
        if let after, after.time <= sighting.time { return }
        after = sighting
    }
}

/// A match of an event that must be missing.
struct Sighting {
    /// Index into ``SequencePlan/gaps``.
    var gap: Int
    var time: EventTime
}

/// A sequence that has all its events and waits for a missing one at its end not to come.
struct SequenceCandidate {
    /// In order of completion.
    var number: UInt64
    var sequence: PartialSequence
    /// The last instant at which the missing event would be too early.
    var deadline: EventTime
}

/// What a sequence remembers for one key.
struct SequenceState: WindowState {
    /// One for each stage but the last.
    private(set) var slots: [PartialSequence?]
    var leading = Leading()
    private(set) var candidates: [SequenceCandidate] = []
    private(set) var eventBytes = 0
    private var filledSlots = 0

    init(stageCount: Int) {
        slots = Array(repeating: nil, count: stageCount - 1)
    }

    /// The newest matches of leading `![…]`. Two are enough to know the newest before an event: events come in
    /// order, so that of those noted only ones of the same instant can be too new.
    struct Leading {
        private(set) var newest: Sighting?
        private(set) var previous: Sighting?

        init(newest: Sighting? = nil, previous: Sighting? = nil) {
            self.newest = newest
            self.previous = previous
        }

        mutating func note(_ sighting: Sighting) {
            if newest.map({ $0.time < sighting.time }) ?? true {
                previous = newest
                newest = sighting
            } else if let newest, sighting.time < newest.time, previous.map({ $0.time < sighting.time }) ?? true {
                previous = sighting
            }
        }

        func newest(before time: EventTime) -> Sighting? {
            [newest, previous].lazy.compactMap(\.self).first { $0.time < time }
        }
    }

    var isEmpty: Bool { filledSlots == 0 && candidates.isEmpty && leading.newest == nil }

    /// Sets a slot, and returns what was there.
    @discardableResult
    mutating func put(_ partial: PartialSequence?, in slot: Int) -> PartialSequence? {
        let before = slots[slot]
        filledSlots += (partial == nil ? 0 : 1) - (before == nil ? 0 : 1)
        eventBytes += (partial?.bytes ?? 0) - (before?.bytes ?? 0)
        slots[slot] = partial
        return before
    }

    /// Clears every slot, and returns what was there.
    mutating func takeSlots() -> [PartialSequence?] {
        slots.indices.map { put(nil, in: $0) }
    }

    /// Notes a match of an event that must be missing after the last event of a slot.
    mutating func note(_ sighting: Sighting, in slot: Int) { slots[slot]?.note(sighting) }

    mutating func append(_ candidate: SequenceCandidate) {
        candidates.append(candidate)
        eventBytes += candidate.sequence.bytes
    }

    func forEachEvent(_ body: (RetainedEvent) -> Void) {
        for case let partial? in slots { partial.events.forEach(body) }
        for candidate in candidates { candidate.sequence.events.forEach(body) }
    }

    /// What an eviction of the key loses.
    var losses: Int { filledSlots + candidates.count + (leading.newest == nil ? 0 : 1) }

    mutating func takeCandidates(where isTaken: (SequenceCandidate) -> Bool) -> [SequenceCandidate] {
        guard candidates.contains(where: isTaken) else { return [] }
        let taken = candidates.filter(isTaken)
        candidates.removeAll(where: isTaken)
        for candidate in taken { eventBytes -= candidate.sequence.bytes }
        return taken
    }

    mutating func expire(before horizon: EventTime, dropped: (PartialSequence) -> Void) -> EventTime? {
        var oldest: EventTime?
        for index in slots.indices {
            guard let partial = slots[index] else { continue }
            if partial.start < horizon {
                put(nil, in: index)
                dropped(partial)
            } else {
                oldest = min(oldest ?? partial.start, partial.start)
            }
        }
        // Candidates have been decided by the time that their beginning expires.
        for candidate in candidates { oldest = min(oldest ?? candidate.sequence.start, candidate.sequence.start) }
        if let time = leading.newest?.time {
            if time < horizon { leading = Leading() } else { oldest = min(oldest ?? time, time) }
        }
        return oldest
    }
}
