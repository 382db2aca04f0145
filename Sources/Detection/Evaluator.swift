public import Correlation
import EQL
public import EventSchema
public import Events
public import Matching
import Normalization

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

/// The whole way of a record from bytes to matches, for one lane: decode, match, correlate.
///
/// Pure: time is what the events say and what the caller says about idle sources, so that the same
/// records in the same order give the same matches. Not for use from several threads at once.
/// *Cost:* nothing is allocated for a record that matches no stage of any query.
public final class Evaluator {
    public let queries: CompiledQueries
    // Counted in for every record, with nothing else going on meanwhile: see EventDecoder.
    @exclusivity(unchecked) var totals = EvaluatorCounters()
    public var counters: EvaluatorCounters {
        var counters = totals
        counters.scriptBlocks = clocks.blocks.counters
        return counters
    }
    /// Told of each script block that was put together, before it takes part.
    var onBlock: ((ScriptBlocks.Joined) -> Void)?
    /// In the order of ``CompiledQueries/exceptions``.
    public internal(set) var exceptionCounters: [ExceptionCounters]
    /// Matches since the last ``takeMatches()``, in the order in which they became complete.
    public private(set) var matches: [QueryMatch] = []

    let options: EvaluatorOptions
    /// Queries that correlate in other lanes.
    private let forwarded: Set<Int>
    let role: DetectorRole
    let decoder: EventReader
    let matcher: Matcher
    /// Nil where every record is decoded.
    private let prefilter: PrefilterScanner?
    /// Whether the record taken last was decoded.
    @exclusivity(unchecked) private(set) var hasEvent = false
    var correlators: [Correlator]
    /// Queries that correlate, here or elsewhere: of ten thousand rules, ends of batches and checkpoints concern only these.
    let correlating: [Int]
    /// What correlations counted that are no more.
    var formerCorrelations = CorrelationCounters()
    var clocks: EventClocks
    /// Stage hits of the current record by query; reused.
    var hitsByQuery: [(query: Int, stages: [(stage: Int, keys: [CorrelationKey])])] = []

    /// Called with the index of the query for everything that happens to its partial matches; costs nothing
    /// when there is none.
    public var trace: ((_ query: Int, _ step: TraceStep) -> Void)?

    /// Hits for other lanes since the last ``takeForwards()``.
    var forwards: [ForwardedHit] = []
    /// The sources that stand for input lanes, by lane; of a detector for the correlate topic.
    var laneSources: [Int] = []
    /// The generations in which the input lanes that were heard of began.
    var laneGenerations: [Int32: Int32] = [:]
    /// Hits that lanes may hand on once more.
    var taken = TakenHits()

    /// - Parameters:
    ///   - forwarded: queries that correlate elsewhere.
    ///   - role: what of the others is done here.
    ///   - tracksState: whether what changes in the correlations will be asked for; free otherwise.
    ///   - prefilter: of all queries; for records that are not brought into ECS.
    public init(
        _ queries: CompiledQueries, options: EvaluatorOptions, forwarded: Set<Int> = [], role: DetectorRole = .inputs,
        tracksState: Bool = false, prefilter: Prefilter? = nil
    ) {
        self.queries = queries
        self.options = options
        decoder = queries.makeDecoder(limits: options.decodeLimits)
        matcher = Matcher(queries.program)
        self.prefilter = prefilter.map { PrefilterScanner($0) }
        exceptionCounters = Array(repeating: ExceptionCounters(), count: queries.exceptions.count)
        correlators = zip(queries.queries, queries.timings).enumerated().map { index, element in
            let (query, timing) = element
            switch role {
            case .inputs: if forwarded.contains(index) { return .forwarded }
            case .correlate: if !forwarded.contains(index) { return .none }
            }
            var limits = options.correlationLimits
            if let retention = timing.retention { limits.retention = retention }
            switch query.form {
            case .event: return .none
            case .sequence(let plan):
                return .sequence(SequenceMachine(plan, limits: limits, tracksChanges: tracksState))
            case .sample(let plan):
                // Without a window only bounded input can end; readers of queries for streams refuse it.
                if plan.maxspan == nil {
                    return .collection(SampleCollection(plan, samplesPerKey: options.samplesPerKey))
                }
                return .sample(SampleMachine(plan, limits: limits, tracksChanges: tracksState))
            }
        }
        correlating = queries.queries.enumerated().filter { if case .event = $1.form { false } else { true } }.map(
            \.offset)
        self.role = role
        self.forwarded = role == .inputs ? forwarded : []
        clocks = EventClocks(
            queries.clockFields, lateness: options.lateness(for: role),
            blocks: ScriptBlocks(limits: options.scriptBlocks, recordBytes: options.decodeLimits.bytes))
    }

    // MARK: Sources

    /// Announces a source without a name; its number goes with every record. It holds the watermark back until it
    /// has an event or is idle.
    public func addSource() -> Int { clocks.addSource(nil) }

    /// Announces a partition. When it is in the restored state it goes on from there.
    public func addSource(topic: TopicID, partition: Int32) -> Int {
        clocks.addSource(EventClocks.SourcePartition(topic: topic, partition: partition))
    }

    public func removeSource(_ source: Int) { clocks.removeSource(source) }

    public func setIdle(_ source: Int) { clocks.setIdle(source) }

    /// How far the engine's own time has come; queries with a timestamp field of their own have theirs.
    public var currentWatermark: EventTime? { clocks.all[0].watermark.value }

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
        totals.noteRecord(bytes: payload.count)
        if let prefilter, isVerbatim(origin.topic), !prefilter.passes(payload) {
            totals.passedOver += 1
            hasEvent = false
            return nil
        }
        if let failure = decoder.decode(payload, normalizes: options.normalizes(origin.topic)) {
            totals.rejected[failure, default: 0] += 1
            hasEvent = false
            return failure
        }
        hasEvent = true
        if decoder.table != nil { totals.normalized += 1 }
        let event = decoder.event
        let time = eventTime(of: event, recordTime: recordTime)
        if event.coercionFailures > 0 { totals.coercionFailures += UInt64(event.coercionFailures) }
        let limit = recordTime?.ahead(by: options.futureTolerance) ?? EventTime(nanoseconds: .max)
        clocks.observe(event, time, notAfter: limit, source: source)

        if let part = part(event, payload, origin, time, limit) {
            wait(part)
            return nil
        }
        let found = matcher.match(event)
        if !found.isEmpty {
            keep(found, event, payload, origin, time, limit, isLate: clocks.all[0].watermark.hasPassed(time))
        }
        return nil
    }

    /// Whether records of a topic are taken as they are.
    private func isVerbatim(_ topic: TopicID) -> Bool {
        queries.normalizers.tables.isEmpty || !options.normalizes(topic)
    }

    /// Evaluates one query by itself against the record taken last, which must have decoded, as if no other query had
    /// looked at it. Changes nothing.
    ///
    /// - Parameter clock: Reads a clock; time is an argument here.
    /// - Returns: What the clock advanced by.
    public func measure(query: Int, clock: () -> UInt64) -> UInt64 {
        let event = decoder.event
        let first = queries.condition(query: query, stage: 0)
        let start = clock()
        for stage in 0..<queries.queries[query].positiveStages {
            _ = matcher.holds(first + stage, for: event)
        }
        return clock() &- start
    }

    /// ``FNV1a`` of the first value of a field of the record taken last; nil when that is not a string.
    func hash(of field: FieldID) -> UInt64? {
        guard let value = decoder.event.first(field), value.kind == .string else { return nil }
        return FNV1a.hash(value.bytes)
    }

    // MARK: Script blocks

    /// The event as a part of a script block, if it is one and some query reads the text.
    func part(
        _ event: Event, _ payload: UnsafeRawBufferPointer, _ origin: RecordOrigin, _ time: EventTime, _ limit: EventTime
    ) -> (part: ScriptBlocks.Part, key: ScriptBlocks.Key, total: Int64)? {
        guard let fields = queries.derived.scriptBlock, let (sequence, total) = fields.part(event) else { return nil }
        guard total <= options.scriptBlocks.parts else {
            clocks.blocks.passAlone()
            return nil
        }
        let key = ScriptBlocks.Key(
            topic: origin.topic, partition: origin.partition, host: event.first(queries.hostKeyField)?.text ?? [],
            block: event.first(fields.id)?.text ?? [])
        let part = ScriptBlocks.Part(
            sequence: sequence, text: event.first(fields.text)?.text ?? [], bytes: Array(payload), origin: origin,
            time: time, limit: limit)
        return (part, key, total)
    }

    func wait(_ waiting: (part: ScriptBlocks.Part, key: ScriptBlocks.Key, total: Int64)) {
        let pushed = clocks.blocks.add(waiting.part, to: waiting.key, total: waiting.total)
        for block in pushed { take(block, passed: currentWatermark, now: currentWatermark) }
        // Where no watermark moves, nothing is gained by waiting for it.
        guard !isStreaming else { return }
        for block in clocks.blocks.releaseComplete() { take(block, passed: nil, now: nil) }
    }

    /// Whether the watermark moves before the input ends.
    private var isStreaming: Bool {
        if case .stream(let lateness) = options.ordering { lateness != .max } else { false }
    }

    /// For what matches may wait.
    private enum Waiting {
        case asUsual
        /// For the engine's own watermark, which is about to pass them.
        case forEngineTime
        case never
    }

    /// A block takes part as one event. Its offsets are free now: what has not been passed over yet does not wait
    /// any longer than this advance of the watermark.
    private func take(_ block: ScriptBlocks.Joined, passed: EventTime?, now: EventTime?) {
        onBlock?(block)
        let normalizes = options.normalizes(block.origin.topic)
        let isLate = passed.map { block.time <= $0 } ?? false
        let waiting: Waiting =
            !isStreaming ? .asUsual : now.map { block.time <= $0 } ?? false ? .forEngineTime : .never
        for bytes in [block.bytes, block.first] {
            let isRead = bytes.withUnsafeBytes { payload in
                guard decoder.decode(payload, normalizes: normalizes) == nil else { return false }
                let found = matcher.match(decoder.event)
                if !found.isEmpty {
                    keep(
                        found, decoder.event, payload, block.origin, block.time, block.limit, isLate: isLate,
                        waiting: waiting, isJoined: true)
                }
                return true
            }
            if isRead { return }
        }
    }

    private func eventTime(of event: Event, recordTime: EventTime?) -> EventTime {
        if let time = event.timestamp { return time }
        totals.withoutTimestamp += 1
        return recordTime ?? clocks.previous
    }

    /// Copies an event that matched something and sends it where its matches go.
    private func keep(
        _ found: UnsafeBufferPointer<Int32>, _ event: Event, _ payload: UnsafeRawBufferPointer,
        _ origin: RecordOrigin, _ time: EventTime, _ limit: EventTime, isLate: Bool,
        waiting: Waiting = .asUsual, isJoined: Bool = false
    ) {
        totals.matched += 1
        let retained = RetainedEvent(
            copying: payload, origin: origin, timestamp: time,
            tiebreaker: queries.tiebreakerField.flatMap { event.tiebreaker(in: $0) },
            isLate: isLate)
        collectHits(found, event, time)
        for index in hitsByQuery.indices {
            let (query, stages) = hitsByQuery[index]
            let own = timed(retained, event, for: queries.timings[query])
            let hits = HeldHits(query: query, hits: StageHits(event: own, stages: stages), readAt: origin)
            if !forwarded.isEmpty, forwarded.contains(query) {
                forward(hits, isAhead: own.timestamp > limit, isJoined: isJoined)
                continue
            }
            guard waits(query) else {
                advance(hits)
                continue
            }
            if own.isLate {
                totals.late += 1
                advance(hits)
            } else if own.timestamp > limit, options.ordering != .sorted {
                totals.ahead += 1
                advance(hits)
            } else if waiting == .never || waiting == .forEngineTime && queries.timings[query].clock != 0 {
                advance(hits)
            } else {
                clocks.all[queries.timings[query].clock].held.insert(hits, event: own)
            }
        }
    }

    /// Sorts what an event matches by query and stage into ``hitsByQuery``.
    func collectHits(_ found: UnsafeBufferPointer<Int32>, _ event: Event, _ time: EventTime) {
        hitsByQuery.removeAll(keepingCapacity: true)
        for condition in found {
            let owner = queries.owners[Int(condition)]
            if isExcepted(owner, event, time) { continue }
            var stage: (stage: Int, keys: [CorrelationKey]) = (owner.stage, [])
            if !queries.keyReaders[owner.query].isEmpty {
                let (keys, truncated) = queries.keyReaders[owner.query][owner.stage].keys(of: event)
                if truncated { totals.truncatedKeys += 1 }
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
        for index in hitsByQuery.indices where hitsByQuery[index].stages.count > 1 {
            hitsByQuery[index].stages.sort { $0.stage < $1.stage }
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
        let clock = clocks.all[timing.clock]
        let time = timing.clock == 0 ? retained.timestamp : event.time(in: clock.field) ?? retained.timestamp
        return RetainedEvent(
            retained, timestamp: time, tiebreaker: timing.tiebreakerField.flatMap { event.tiebreaker(in: $0) },
            isLate: clock.watermark.hasPassed(time))
    }

    func waits(_ query: Int) -> Bool {
        if case .sorted = options.ordering { return true }
        if case .sequence = correlators[query] { return true }
        return false
    }

    func advance(_ held: HeldHits) {
        let query = held.query
        if role != .inputs, isRepeated(held) { return }
        if case .none = correlators[query] {
            matches.append(QueryMatch(query: query, steps: [held.hits.event], key: CorrelationKey([])))
        } else {
            correlate(query) { $0.advance(held.hits, trace: $1, completed: $2) }
        }
    }

    /// Whether a lane that crashed in between has handed a record on a second time.
    private func isRepeated(_ held: HeldHits) -> Bool {
        let origin = held.hits.event.origin
        return held.hits.stages.contains { _, keys in
            keys.contains { correlators[held.query].holds(origin, for: $0) }
        }
    }

    private func correlate(
        _ query: Int, _ body: (inout Correlator, CorrelationTrace?, (Completion) -> Void) -> Void
    ) {
        let trace = trace.map { trace in { (step: TraceStep) in trace(query, step) } }
        body(&correlators[query], trace) { [self] completion in
            matches.append(QueryMatch(query: query, steps: completion.steps, key: completion.key))
        }
    }

    // MARK: Time

    /// Moves the watermark and lets every held event that it passes take part. Call once a batch.
    ///
    /// Does nothing while records that the restored state held have not been read again: time must not pass them.
    public func advanceWatermark() {
        guard clocks.awaitedCount == 0 else { return }
        for clock in clocks.indices {
            let before = clocks.all[clock].watermark.value
            guard let now = clocks.all[clock].watermark.advance() else { continue }
            if clock == 0 {
                for block in clocks.blocks.release(upTo: now) { take(block, passed: before, now: now) }
            }
            while let hits = clocks.all[clock].held.next(upTo: now) { advance(hits) }
            guard now != before else { continue }
            for query in correlating where queries.timings[query].clock == clock {
                correlate(query) { $0.expire(watermark: now, trace: $1, completed: $2) }
            }
        }
    }

    /// Ends the input: every held event takes part, in event order, and no missing event comes any more.
    public func finish() {
        for block in clocks.blocks.releaseAll() {
            take(block, passed: currentWatermark, now: EventTime(nanoseconds: .max))
        }
        for clock in clocks.indices {
            while let hits = clocks.all[clock].held.next(upTo: EventTime(nanoseconds: .max)) { advance(hits) }
        }
        for query in correlating { correlate(query) { $0.finish(trace: $1, completed: $2) } }
    }

    // MARK: Results

    /// The matches since the last call, which are then forgotten.
    public func takeMatches() -> [QueryMatch] {
        defer { matches.removeAll(keepingCapacity: true) }
        return matches
    }

    /// The oldest offset of `partition` of `topic` that is still held back for the watermark.
    public func oldestHeldOffset(topic: TopicID, partition: Int32) -> Int64? {
        clocks.oldestHeldOffset(EventClocks.SourcePartition(topic: topic, partition: partition))
    }

    /// Totals over all correlations.
    public var correlationCounters: CorrelationCounters {
        correlators.reduce(into: formerCorrelations) { $0 += $1.counters }
    }

    /// Payload bytes that correlations hold; an event that several of them hold counts for each.
    public var heldBytes: Int { correlators.reduce(0) { $0 + $1.heldBytes } }

    /// Keys that correlations hold something for.
    public var liveKeys: Int { correlators.reduce(0) { $0 + $1.liveKeys } }
}

extension Event {
    func time(in field: FieldID) -> EventTime? {
        first(field).flatMap { EventTime($0) }
    }

    func tiebreaker(in field: FieldID) -> Int64? {
        guard let value = first(field) else { return nil }
        return switch value.kind {
        case .integer: value.integer
        case .double: Int64(exactly: value.double)
        case .string: Int64(String(decoding: value.bytes, as: UTF8.self))
        case .boolean: nil
        }
    }
}

extension CompiledQueries {
    /// The fields of time with their names.
    var clockFields: [(id: FieldID, name: String)] {
        timestampFields.map { ($0, layout.paths[$0.index].dotted) }
    }
}
