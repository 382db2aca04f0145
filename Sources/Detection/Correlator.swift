import Correlation
import EventSchema
import Events

/// How one query correlates in one lane.
enum Correlator {
    /// It does not: each match stands by itself.
    case none
    /// In other lanes.
    case forwarded
    case sequence(SequenceMachine)
    case sample(SampleMachine)
    case collection(SampleCollection)

    mutating func advance(_ hits: StageHits, trace: CorrelationTrace?, completed: (Completion) -> Void) {
        change(
            sequence: { $0.advance(hits, trace: trace, completed: completed) },
            sample: { $0.advance(hits, trace: trace, completed: completed) },
            collection: { $0.collect(hits) })
    }

    mutating func expire(watermark: EventTime, trace: CorrelationTrace?, completed: (Completion) -> Void) {
        change(
            sequence: { $0.expire(watermark: watermark, trace: trace, completed: completed) },
            sample: { $0.expire(watermark: watermark, trace: trace) })
    }

    /// The input has ended: no missing event comes any more.
    mutating func finish(trace: CorrelationTrace?, completed: (Completion) -> Void) {
        change(
            sequence: { $0.finish(trace: trace, completed: completed) }, sample: { _ in },
            collection: { $0.finish(completed: completed) })
    }

    mutating func change(
        sequence: (inout SequenceMachine) -> Void, sample: (inout SampleMachine) -> Void,
        collection: (inout SampleCollection) -> Void = { _ in }
    ) {
        switch self {
        case .none, .forwarded: break
        case .sequence(var machine):
            // Taken out while it changes: a machine in two places would be copied.
            self = .none
            sequence(&machine)
            self = .sequence(machine)
        case .sample(var machine):
            self = .none
            sample(&machine)
            self = .sample(machine)
        case .collection(var samples):
            self = .none
            collection(&samples)
            self = .collection(samples)
        }
    }

    /// Takes up what was held for a key.
    mutating func restore(
        _ key: CorrelationKey, _ body: ArraySlice<UInt8>, events: [RetainedEvent?]
    ) throws(StateCorruption) -> RestoredKey {
        switch self {
        case .none, .forwarded, .collection: throw StateCorruption("the rule correlates nothing")
        case .sequence(var machine):
            self = .none
            defer { self = .sequence(machine) }
            return try machine.restore(key, body, events: events)
        case .sample(var machine):
            self = .none
            defer { self = .sample(machine) }
            return try machine.restore(key, body, events: events)
        }
    }
}

extension Correlator {
    var counters: CorrelationCounters {
        switch self {
        case .none, .forwarded: CorrelationCounters()
        case .sequence(let machine): machine.counters
        case .sample(let machine): machine.counters
        case .collection(let collection): collection.counters
        }
    }

    /// Payload bytes.
    var heldBytes: Int {
        switch self {
        case .none, .forwarded, .collection: 0
        case .sequence(let machine): machine.heldBytes
        case .sample(let machine): machine.heldBytes
        }
    }

    /// Keys that something is held for.
    var liveKeys: Int {
        switch self {
        case .none, .forwarded: 0
        case .sequence(let machine): machine.liveKeys
        case .sample(let machine): machine.liveKeys
        case .collection(let collection): collection.liveKeys
        }
    }

    var hasStateChanges: Bool {
        switch self {
        case .none, .forwarded, .collection: false
        case .sequence(let machine): machine.hasChanges
        case .sample(let machine): machine.hasChanges
        }
    }

    /// Whether something is held for `key` that came from the record at `origin`.
    func holds(_ origin: RecordOrigin, for key: CorrelationKey) -> Bool {
        switch self {
        case .none, .forwarded, .collection: false
        case .sequence(let machine): machine.holds(origin, for: key)
        case .sample(let machine): machine.holds(origin, for: key)
        }
    }
}
