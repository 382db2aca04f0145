public import Correlation
import EQL
public import EventSchema
public import Events
import Matching

/// What one query found: an event, or the events of a sequence or sample in stage order.
public struct QueryMatch: Sendable {
    /// Index into ``CompiledQueries/queries``.
    public var query: Int
    public var events: [RetainedEvent]
    /// The join key of a correlation; empty for an event query and for a sequence without `by`.
    public var key: CorrelationKey
}

/// When matches are handed on, and in which order events take part in sequences.
public enum Ordering: Hashable, Sendable {
    /// Sequences wait until the watermark passes, which trails the newest event by `lateness`
    /// nanoseconds; single events and samples are handed on as they come.
    case stream(lateness: Int64)
    /// The input ends: everything waits until then and is handed on in event order.
    case sorted
}

public struct EvaluatorOptions: Hashable, Sendable {
    public var ordering: Ordering
    public var decodeLimits: DecodeLimits
    public var correlationLimits: CorrelationLimits
    /// Event times may run this far ahead of the record's own timestamp before they stop moving the
    /// watermark: one host with a wrong clock must not make everybody else late. Nanoseconds.
    public var futureTolerance: Int64

    public init(
        ordering: Ordering, decodeLimits: DecodeLimits = DecodeLimits(),
        correlationLimits: CorrelationLimits = CorrelationLimits(), futureTolerance: Int64 = 300_000_000_000
    ) {
        self.ordering = ordering
        self.decodeLimits = decodeLimits
        self.correlationLimits = correlationLimits
        self.futureTolerance = futureTolerance
    }
}

/// Running totals of one evaluator.
public struct EvaluatorCounters: Hashable, Sendable {
    public var records: UInt64 = 0
    public var bytes: UInt64 = 0
    /// Records that matched a query or a stage of one.
    public var matched: UInt64 = 0
    /// Records without a usable timestamp of their own; the log's, or the previous record's, served.
    public var withoutTimestamp: UInt64 = 0
    /// Matches that came after the watermark had passed them. They took part as they came.
    public var late: UInt64 = 0
    /// Matches further ahead of their record's timestamp than ``EvaluatorOptions/futureTolerance``. No watermark
    /// would pass them for that long; they took part as they came.
    public var ahead: UInt64 = 0
    /// Field values that did not fit their type and counted as missing.
    public var coercionFailures: UInt64 = 0
    /// Events whose join keys had more combinations than ``KeyReader/maximumFanOut``.
    public var truncatedKeys: UInt64 = 0
    /// Records that could not be decoded, by the raw value of the failure.
    public var rejected: [DecodeFailure: UInt64] = [:]

    public init() {}
}

/// The whole way of a record from bytes to matches, for one lane: decode, match, correlate.
///
/// Pure: time is what the events say and what the caller says about idle sources, so that the same
/// records in the same order give the same matches. Not for use from several threads at once.
/// *Cost:* nothing is allocated for a record that matches no stage of any query.
public final class Evaluator {
    public let queries: CompiledQueries
    public private(set) var counters = EvaluatorCounters()
    /// Matches since the last ``takeMatches()``, in the order in which they became complete.
    public private(set) var matches: [QueryMatch] = []

    private let options: EvaluatorOptions
    private let decoder: EventDecoder
    private let matcher: Matcher
    private var correlators: [Correlator]
    private var held = ReorderBuffer<HeldHits>()
    private var watermark: Watermark
    private var previousTime = EventTime(nanoseconds: 0)
    /// Stage hits of the current record by query; reused.
    private var hitsByQuery: [(query: Int, stages: [(stage: Int, keys: [CorrelationKey])])] = []

    private enum Correlator {
        case none
        case sequence(SequenceMachine)
        case sample(SampleMachine)
    }

    private struct HeldHits {
        var query: Int
        var hits: StageHits
    }

    public init(_ queries: CompiledQueries, options: EvaluatorOptions) {
        self.queries = queries
        self.options = options
        decoder = queries.makeDecoder(limits: options.decodeLimits)
        matcher = Matcher(queries.program)
        correlators = queries.queries.map { query in
            switch query.form {
            case .event: .none
            case .sequence(let plan): .sequence(SequenceMachine(plan, limits: options.correlationLimits))
            case .sample(let plan): .sample(SampleMachine(plan, limits: options.correlationLimits))
            }
        }
        switch options.ordering {
        case .stream(let lateness): watermark = Watermark(lateness: lateness)
        case .sorted: watermark = Watermark(lateness: .max)
        }
    }

    // MARK: Sources

    /// Announces a partition; its number goes with every record. It holds the watermark back until it
    /// has an event or is idle.
    public func addSource() -> Int { watermark.addSource() }

    public func removeSource(_ source: Int) { watermark.remove(source: source) }

    public func setIdle(_ source: Int) { watermark.setIdle(source: source) }

    public var currentWatermark: EventTime? { watermark.value }

    // MARK: Records

    /// Takes one record.
    ///
    /// - Parameters:
    ///   - payload: borrowed for the call.
    ///   - recordTime: the log's timestamp for the record; used when the record has none of its own.
    /// - Returns: why the record could not be decoded, or nil.
    public func process(
        _ payload: UnsafeRawBufferPointer, origin: RecordOrigin, source: Int, recordTime: EventTime?
    ) -> DecodeFailure? {
        counters.records += 1
        counters.bytes += UInt64(payload.count)
        if let failure = decoder.decode(payload) {
            counters.rejected[failure, default: 0] += 1
            return failure
        }
        let event = decoder.event
        let time = eventTime(of: event, recordTime: recordTime)
        counters.coercionFailures += UInt64(event.coercionFailures)
        let limit = recordTime?.ahead(by: options.futureTolerance) ?? time
        watermark.observe(min(time, limit), source: source)

        let found = matcher.match(event)
        if !found.isEmpty { keep(found, event, payload, origin, time, isAhead: time > limit) }
        return nil
    }

    private func eventTime(of event: Event, recordTime: EventTime?) -> EventTime {
        if let time = event.timestamp {
            previousTime = time
            return time
        }
        counters.withoutTimestamp += 1
        let time = recordTime ?? previousTime
        previousTime = time
        return time
    }

    /// Copies an event that matched something and sends it where its matches go.
    private func keep(
        _ found: UnsafeBufferPointer<Int32>, _ event: Event, _ payload: UnsafeRawBufferPointer,
        _ origin: RecordOrigin, _ time: EventTime, isAhead: Bool
    ) {
        counters.matched += 1
        let isLate = watermark.value.map { time <= $0 } ?? false
        let retained = RetainedEvent(
            copying: payload, origin: origin, timestamp: time, tiebreaker: tiebreaker(of: event), isLate: isLate)
        hitsByQuery.removeAll(keepingCapacity: true)
        for condition in found {
            let owner = queries.owners[Int(condition)]
            var stage: (stage: Int, keys: [CorrelationKey]) = (owner.stage, [])
            if !queries.keyReaders[owner.query].isEmpty {
                let (keys, truncated) = queries.keyReaders[owner.query][owner.stage].keys(of: event)
                if truncated { counters.truncatedKeys += 1 }
                if keys.isEmpty { continue }
                stage.keys = keys
            }
            if let index = hitsByQuery.firstIndex(where: { $0.query == owner.query }) {
                hitsByQuery[index].stages.append(stage)
            } else {
                hitsByQuery.append((owner.query, [stage]))
            }
        }
        // Matching reports conditions in the order of its gates; queries and stages have their own.
        hitsByQuery.sort { $0.query < $1.query }
        for index in hitsByQuery.indices {
            hitsByQuery[index].stages.sort { $0.stage < $1.stage }
            let hits = HeldHits(
                query: hitsByQuery[index].query,
                hits: StageHits(event: retained, stages: hitsByQuery[index].stages))
            guard waits(hits.query) else {
                advance(hits)
                continue
            }
            if isLate {
                counters.late += 1
                advance(hits)
            } else if isAhead, options.ordering != .sorted {
                counters.ahead += 1
                advance(hits)
            } else {
                held.insert(hits, event: retained)
            }
        }
    }

    private func waits(_ query: Int) -> Bool {
        if case .sorted = options.ordering { return true }
        if case .sequence = correlators[query] { return true }
        return false
    }

    private func tiebreaker(of event: Event) -> Int64? {
        guard let field = queries.tiebreakerField else { return nil }
        for value in event.values(field) {
            switch value.kind {
            case .integer: return value.integer
            case .double: return Int64(exactly: value.double)
            case .string: return Int64(String(decoding: value.bytes, as: UTF8.self))
            case .boolean: return nil
            }
        }
        return nil
    }

    private func advance(_ held: HeldHits) {
        let query = held.query
        switch correlators[query] {
        case .none:
            matches.append(QueryMatch(query: query, events: [held.hits.event], key: CorrelationKey([])))
        case .sequence(var machine):
            // Taken out while it changes: a machine in two places would be copied.
            correlators[query] = .none
            machine.advance(held.hits) { add($0, query) }
            correlators[query] = .sequence(machine)
        case .sample(var machine):
            correlators[query] = .none
            machine.advance(held.hits) { add($0, query) }
            correlators[query] = .sample(machine)
        }
    }

    private func add(_ completion: Completion, _ query: Int) {
        matches.append(QueryMatch(query: query, events: completion.events, key: completion.key))
    }

    // MARK: Time

    /// Moves the watermark and lets every held event that it passes take part. Call once a batch.
    public func advanceWatermark() {
        let before = watermark.value
        guard let now = watermark.advance(), now != before else { return }
        while let hits = held.next(upTo: now) { advance(hits) }
        expire(now)
    }

    /// Ends the input: every held event takes part, in event order.
    public func finish() {
        while let hits = held.next(upTo: EventTime(nanoseconds: .max)) { advance(hits) }
    }

    private func expire(_ now: EventTime) {
        for query in correlators.indices {
            switch correlators[query] {
            case .none: break
            case .sequence(var machine):
                correlators[query] = .none
                machine.expire(watermark: now)
                correlators[query] = .sequence(machine)
            case .sample(var machine):
                correlators[query] = .none
                machine.expire(watermark: now)
                correlators[query] = .sample(machine)
            }
        }
    }

    // MARK: Results

    /// The matches since the last call, which are then forgotten.
    public func takeMatches() -> [QueryMatch] {
        defer { matches.removeAll(keepingCapacity: true) }
        return matches
    }

    /// The oldest offset of `partition` of `topic` that is still held back for the watermark.
    public func oldestHeldOffset(topic: TopicID, partition: Int32) -> Int64? {
        held.payloads.lazy.map(\.hits.event.origin)
            .filter { $0.topic == topic && $0.partition == partition }
            .map(\.offset).min()
    }

    /// Totals over all correlations.
    public var correlationCounters: CorrelationCounters {
        correlators.reduce(into: CorrelationCounters()) { total, correlator in
            switch correlator {
            case .none: break
            case .sequence(let machine): total += machine.counters
            case .sample(let machine): total += machine.counters
            }
        }
    }

    /// Keys that correlations hold something for.
    public var liveKeys: Int {
        correlators.reduce(0) { total, correlator in
            switch correlator {
            case .none: total
            case .sequence(let machine): total + machine.liveKeys
            case .sample(let machine): total + machine.liveKeys
            }
        }
    }
}

extension EventTime {
    fileprivate func ahead(by nanoseconds: Int64) -> EventTime {
        let (value, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return EventTime(nanoseconds: overflow ? .max : value)
    }
}
