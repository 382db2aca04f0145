public import Correlation
public import EQL
public import EventSchema
public import Events
public import Matching

/// What one query makes of one event.
public struct EventExplanation: Sendable {
    public var origin: RecordOrigin
    /// Nil when the event has no timestamp of its own, or could not be read.
    public var timestamp: EventTime?
    public var outcome: Outcome
    /// Of a script block that came in parts and takes part as one event, what it was made of.
    public var block: ScriptBlockMakeup?

    public enum Outcome: Sendable {
        case unreadable(DecodeFailure)
        /// A part of a script block: it takes part with the others, as ``Explainer/takeBlocks()`` tells.
        case part(sequence: Int64, total: Int64)
        /// One entry per condition of the query: ``CheckedQuery/conditions``.
        case read([PartExplanation])
    }
}

/// What one condition of a query says about one event.
public struct PartExplanation: Sendable {
    public var part: QueryPart
    /// Whether the engine's plan lets the event pass.
    public var holds: Bool
    public var verdicts: VerdictTree
    /// The keys under which the event takes part; nil where the query joins nothing.
    public var keys: [CorrelationKey]?
    /// The exceptions that keep the event from the rule here although it holds, by their ids.
    public var exceptions: [String] = []
}

/// The place a condition has in its query. Numbers count from 1, runs expanded.
public enum QueryPart: Hashable, Sendable {
    case event
    case stage(Int)
    /// `![…]`.
    case missing(Int)
    case until

    /// The parts of a query, in the order of its conditions.
    public static func parts(of query: CheckedQuery) -> [QueryPart] {
        switch query.form {
        case .event: [.event]
        case .sample(let plan): plan.stages.indices.map { .stage($0 + 1) }
        case .sequence(let plan):
            plan.stages.indices.map { .stage($0 + 1) } + plan.gaps.indices.map { .missing($0 + 1) }
                + (plan.until == nil ? [] : [.until])
        }
    }
}

/// Says why a query matches what it matches.
///
/// It asks the plans the engine runs: verdicts are the matcher's own bits, and what happens to partial matches is
/// told by the machines while they run. Input ends; sequences see their events in order.
public final class Explainer {
    public let query: CheckedQuery

    private let queries: CompiledQueries
    private let parts: [QueryPart]
    private let decoder: EventReader
    private let matcher: Matcher
    private let evaluator: Evaluator
    private let source: Int
    private let steps = Collected<TraceStep>()
    private let blocks = Collected<ScriptBlocks.Joined>()
    private let partLimit: Int
    private var previousTime = EventTime(nanoseconds: 0)

    /// Outlives the closure that fills it.
    private final class Collected<Element> {
        var list: [Element] = []
    }

    /// - Parameter queries: one query, compiled by itself.
    public init(_ queries: CompiledQueries, decodeLimits: DecodeLimits = DecodeLimits()) {
        let options = EvaluatorOptions(ordering: .sorted, decodeLimits: decodeLimits, correlationLimits: .bounded)
        precondition(queries.queries.count == 1, "an explanation is of one query")
        self.queries = queries
        query = queries.queries[0]
        parts = QueryPart.parts(of: query)
        decoder = queries.makeDecoder(limits: decodeLimits)
        matcher = Matcher(queries.program)
        evaluator = Evaluator(queries, options: options)
        source = evaluator.addSource()
        partLimit = options.scriptBlocks.parts
        evaluator.trace = { [steps] _, step in steps.list.append(step) }
        evaluator.onBlock = { [blocks] block in blocks.list.append(block) }
    }

    /// Explains one event, and lets it take part in what follows. Borrows `payload` for the call.
    public func explain(_ payload: UnsafeRawBufferPointer, origin: RecordOrigin) -> EventExplanation {
        if let failure = decoder.decode(payload) {
            return EventExplanation(origin: origin, outcome: .unreadable(failure))
        }
        // It decoded under the same limits.
        _ = evaluator.process(payload, origin: origin, source: source, recordTime: nil)
        let event = decoder.event
        // As in the evaluator: an event without a time of its own has that of the one before it.
        previousTime = event.timestamp ?? previousTime
        if let (sequence, total) = queries.derived.scriptBlock?.part(event), total <= partLimit {
            return EventExplanation(
                origin: origin, timestamp: event.timestamp, outcome: .part(sequence: sequence, total: total))
        }
        return EventExplanation(
            origin: origin, timestamp: event.timestamp, outcome: .read(explained(event, at: previousTime)))
    }

    private func explained(_ event: Event, at time: EventTime) -> [PartExplanation] {
        let readers = queries.keyReaders[0]
        return parts.indices.map { index in
            let holds = matcher.holds(index, for: event)
            return PartExplanation(
                part: parts[index], holds: holds, verdicts: matcher.verdicts(index, for: event),
                keys: readers.isEmpty ? nil : readers[index].keys(of: event).keys,
                exceptions: holds ? exceptions(forStage: index, event, at: time) : [])
        }
    }

    private func exceptions(forStage stage: Int, _ event: Event, at time: EventTime) -> [String] {
        queries.exceptionsOfQuery[0].map { queries.exceptions[$0] }.filter { exception in
            exception.covers(stage: stage, of: query.positiveStages)
                && exception.expiry.map { time < $0 } ?? true
                && matcher.holds(exception.condition, for: event)
        }.map(\.id)
    }

    /// Script blocks that were put together since the last call, each explained as the one event as which it takes part:
    /// after the part that made it whole, or with parts missing after ``finish()``.
    public func takeBlocks() -> [EventExplanation] {
        defer { blocks.list.removeAll() }
        return blocks.list.map { block in
            let failure = block.bytes.withUnsafeBytes { decoder.decode($0) }
            return EventExplanation(
                origin: block.origin, timestamp: block.time,
                outcome: failure.map { .unreadable($0) } ?? .read(explained(decoder.event, at: block.time)),
                block: block.makeup)
        }
    }

    /// Ends the input.
    ///
    /// - Returns: everything that happened to partial matches, in order, and the matches.
    public func finish() -> (steps: [TraceStep], matches: [QueryMatch]) {
        evaluator.finish()
        return (steps.list, evaluator.takeMatches())
    }
}
