public import Correlation
import EQL
public import EventSchema
public import Events
import Matching

/// What one query found: an event, a sequence or a sample.
public struct QueryMatch: Sendable {
    /// Index into ``CompiledQueries/queries``.
    public var query: Int
    /// What stands at each step of the query as written: an event, or nil where one had to be missing.
    public var steps: [RetainedEvent?]
    /// The join key of a correlation; empty for an event query and for a sequence without `by`.
    public var key: CorrelationKey

    /// The events that are there, in stage order.
    public var events: [RetainedEvent] { steps.compactMap(\.self) }
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
    /// How many samples a key gives where the input ends and the query has no `maxspan`; Elasticsearch's
    /// `max_samples_per_key`.
    public var samplesPerKey = 1
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
    /// In the order of ``CompiledQueries/exceptions``.
    public private(set) var exceptionCounters: [ExceptionCounters]
    /// Matches since the last ``takeMatches()``, in the order in which they became complete.
    public private(set) var matches: [QueryMatch] = []

    private let options: EvaluatorOptions
    private let decoder: EventDecoder
    private let matcher: Matcher
    private var correlators: [Correlator]
    /// The engine's time, then that of each timestamp field that some query has for itself.
    private var clocks: [Clock]
    private var previousTime = EventTime(nanoseconds: 0)
    /// Stage hits of the current record by query; reused.
    private var hitsByQuery: [(query: Int, stages: [(stage: Int, keys: [CorrelationKey])])] = []

    /// Called with the index of the query for everything that happens to its partial matches; costs nothing
    /// when there is none.
    public var trace: ((_ query: Int, _ step: TraceStep) -> Void)?

    private enum Correlator {
        case none
        case sequence(SequenceMachine)
        case sample(SampleMachine)
        case collection(SampleCollection)
    }

    /// Time as one timestamp field tells it.
    private struct Clock {
        var field: FieldID
        var watermark: Watermark
        var held = ReorderBuffer<HeldHits>()
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
        exceptionCounters = Array(repeating: ExceptionCounters(), count: queries.exceptions.count)
        correlators = zip(queries.queries, queries.timings).map { query, timing in
            var limits = options.correlationLimits
            if let retention = timing.retention { limits.retention = retention }
            switch query.form {
            case .event: return .none
            case .sequence(let plan): return .sequence(SequenceMachine(plan, limits: limits))
            case .sample(let plan):
                // Without a window only bounded input can end; readers of queries for streams refuse it.
                if plan.maxspan == nil {
                    return .collection(SampleCollection(plan, samplesPerKey: options.samplesPerKey))
                }
                return .sample(SampleMachine(plan, limits: limits))
            }
        }
        let lateness =
            switch options.ordering {
            case .stream(let lateness): lateness
            case .sorted: Int64.max
            }
        clocks = queries.timestampFields.map { Clock(field: $0, watermark: Watermark(lateness: lateness)) }
    }

    // MARK: Sources

    /// Announces a partition; its number goes with every record. It holds the watermark back until it
    /// has an event or is idle.
    public func addSource() -> Int {
        var number = 0
        for clock in clocks.indices { number = clocks[clock].watermark.addSource() }
        return number
    }

    public func removeSource(_ source: Int) {
        for clock in clocks.indices { clocks[clock].watermark.remove(source: source) }
    }

    public func setIdle(_ source: Int) {
        for clock in clocks.indices { clocks[clock].watermark.setIdle(source: source) }
    }

    /// How far the engine's own time has come; queries with a timestamp field of their own have theirs.
    public var currentWatermark: EventTime? { clocks[0].watermark.value }

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
        let limit = recordTime?.ahead(by: options.futureTolerance) ?? EventTime(nanoseconds: .max)
        clocks[0].watermark.observe(min(time, limit), source: source)
        for clock in clocks.indices.dropFirst() {
            clocks[clock].watermark.observe(
                min(event.time(in: clocks[clock].field) ?? time, limit), source: source)
        }

        let found = matcher.match(event)
        if !found.isEmpty { keep(found, event, payload, origin, time, limit) }
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
        _ origin: RecordOrigin, _ time: EventTime, _ limit: EventTime
    ) {
        counters.matched += 1
        let retained = RetainedEvent(
            copying: payload, origin: origin, timestamp: time,
            tiebreaker: queries.tiebreakerField.flatMap { event.tiebreaker(in: $0) },
            isLate: clocks[0].watermark.hasPassed(time))
        hitsByQuery.removeAll(keepingCapacity: true)
        for condition in found {
            let owner = queries.owners[Int(condition)]
            if isExcepted(owner, event, time) { continue }
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
            let query = hitsByQuery[index].query
            let own = timed(retained, event, for: queries.timings[query])
            let hits = HeldHits(query: query, hits: StageHits(event: own, stages: hitsByQuery[index].stages))
            guard waits(query) else {
                advance(hits)
                continue
            }
            if own.isLate {
                counters.late += 1
                advance(hits)
            } else if own.timestamp > limit, options.ordering != .sorted {
                counters.ahead += 1
                advance(hits)
            } else {
                clocks[queries.timings[query].clock].held.insert(hits, event: own)
            }
        }
    }

    /// Whether somebody does not want to be told about this event. Every exception that holds counts it.
    private func isExcepted(_ owner: CompiledQueries.Owner, _ event: Event, _ time: EventTime) -> Bool {
        var isExcepted = false
        for index in queries.exceptionsOfQuery[owner.query] {
            let exception = queries.exceptions[index]
            guard exception.covers(stage: owner.stage, of: queries.queries[owner.query].positiveStages),
                matcher.alsoHolds(exception.condition, for: event)
            else { continue }
            if let expiry = exception.expiry, time >= expiry {
                exceptionCounters[index].hitsAfterExpiry += 1
            } else {
                exceptionCounters[index].hits += 1
                isExcepted = true
            }
        }
        return isExcepted
    }

    /// The event as a query with fields of time of its own sees it; for all others the event itself.
    private func timed(_ retained: RetainedEvent, _ event: Event, for timing: CompiledQueries.Timing) -> RetainedEvent {
        guard timing.clock != 0 || timing.tiebreakerField != queries.tiebreakerField else { return retained }
        let clock = clocks[timing.clock]
        let time = timing.clock == 0 ? retained.timestamp : event.time(in: clock.field) ?? retained.timestamp
        return RetainedEvent(
            retained, timestamp: time, tiebreaker: timing.tiebreakerField.flatMap { event.tiebreaker(in: $0) },
            isLate: clock.watermark.hasPassed(time))
    }

    private func waits(_ query: Int) -> Bool {
        if case .sorted = options.ordering { return true }
        if case .sequence = correlators[query] { return true }
        return false
    }

    private func advance(_ held: HeldHits) {
        let query = held.query
        withCorrelator(query) { correlator, trace, add in
            switch correlator {
            case .none:
                matches.append(QueryMatch(query: query, steps: [held.hits.event], key: CorrelationKey([])))
            case .sequence(var machine):
                // Taken out while it changes: a machine in two places would be copied.
                correlator = .none
                machine.advance(held.hits, trace: trace, completed: add)
                correlator = .sequence(machine)
            case .sample(var machine):
                correlator = .none
                machine.advance(held.hits, trace: trace, completed: add)
                correlator = .sample(machine)
            case .collection(var collection):
                correlator = .none
                collection.collect(held.hits)
                correlator = .collection(collection)
            }
        }
    }

    private func withCorrelator(
        _ query: Int, _ body: (inout Correlator, CorrelationTrace?, (Completion) -> Void) -> Void
    ) {
        let trace = trace.map { trace in { (step: TraceStep) in trace(query, step) } }
        body(&correlators[query], trace) { [self] completion in
            matches.append(QueryMatch(query: query, steps: completion.steps, key: completion.key))
        }
    }

    // MARK: Time

    /// Moves the watermark and lets every held event that it passes take part. Call once a batch.
    public func advanceWatermark() {
        for clock in clocks.indices {
            let before = clocks[clock].watermark.value
            guard let now = clocks[clock].watermark.advance(), now != before else { continue }
            while let hits = clocks[clock].held.next(upTo: now) { advance(hits) }
            for query in correlators.indices where queries.timings[query].clock == clock { expire(query, now) }
        }
    }

    /// Ends the input: every held event takes part, in event order, and no missing event comes any more.
    public func finish() {
        for clock in clocks.indices {
            while let hits = clocks[clock].held.next(upTo: EventTime(nanoseconds: .max)) { advance(hits) }
        }
        for query in correlators.indices { finish(query) }
    }

    private func expire(_ query: Int, _ now: EventTime) {
        withCorrelator(query) { correlator, trace, add in
            switch correlator {
            case .none, .collection: break
            case .sequence(var machine):
                correlator = .none
                machine.expire(watermark: now, trace: trace, completed: add)
                correlator = .sequence(machine)
            case .sample(var machine):
                correlator = .none
                machine.expire(watermark: now, trace: trace)
                correlator = .sample(machine)
            }
        }
    }

    private func finish(_ query: Int) {
        withCorrelator(query) { correlator, trace, add in
            switch correlator {
            case .none, .sample: break
            case .sequence(var machine):
                correlator = .none
                machine.finish(trace: trace, completed: add)
                correlator = .sequence(machine)
            case .collection(var collection):
                correlator = .none
                collection.finish(completed: add)
                correlator = .collection(collection)
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
        clocks.lazy.flatMap { $0.held.payloads.lazy.map(\.hits.event.origin) }
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
            case .collection(let collection): total += collection.counters
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
            case .collection(let collection): total + collection.liveKeys
            }
        }
    }
}

extension Event {
    fileprivate func time(in field: FieldID) -> EventTime? {
        first(field).flatMap { EventTime($0) }
    }

    fileprivate func tiebreaker(in field: FieldID) -> Int64? {
        guard let value = first(field) else { return nil }
        return switch value.kind {
        case .integer: value.integer
        case .double: Int64(exactly: value.double)
        case .string: Int64(String(decoding: value.bytes, as: UTF8.self))
        case .boolean: nil
        }
    }
}

extension EventTime {
    fileprivate func ahead(by nanoseconds: Int64) -> EventTime {
        let (value, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return EventTime(nanoseconds: overflow ? .max : value)
    }
}
