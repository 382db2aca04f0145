public import Alerts
public import Correlation
import EQL
public import EventSchema
public import Events
import Matching
import Normalization
import Rules

/// Running totals of one detector.
public struct DetectionCounters: Hashable, Sendable {
    /// Findings per rule, in the order of ``CompiledRules/rules``, shadow rules included.
    public var findings: [UInt64]
    /// Per rule, how many of the findings handed on Elastic would have dropped for the rule's `max_signals`.
    public var beyondSignalCap: [UInt64]
    /// Findings of rules in the shadow stage that were not held back as repeats.
    public var shadowed: UInt64 = 0
    public var correlation = CorrelationCounters()
    /// Per exception, in the order of ``CompiledRules/exceptions``.
    public var exceptions: [ExceptionCounters] = []
    public var suppression: Suppressor.Counters

    init(rules: Int) {
        suppression = Suppressor.Counters(suppressed: Array(repeating: 0, count: rules))
        findings = Array(repeating: 0, count: rules)
        beyondSignalCap = findings
    }
}

/// Detection for one lane: records in, findings out.
///
/// Run, eval, demo and tests use this one type, so they cannot disagree. Pure: it reads no clock and
/// does no I/O, and the same records in the same order give the same findings with the same ids.
/// Not for use from several threads at once.
public final class Detector {
    public let rules: CompiledRules

    let evaluator: Evaluator
    /// Nil when no state is kept outside.
    var keeper: StateKeeper?
    /// Read the evidence of findings again, to say what matched; apart from the evaluator's own, whose
    /// event may still be in use.
    private let evidenceDecoder: EventReader
    private let recordNormalizer: RecordNormalizer
    private let options: EvaluatorOptions
    private let evidenceMatcher: Matcher
    let suppressor: Suppressor
    private var findings: [Finding] = []
    private var signals: [SignalCounter]
    private var totals: DetectionCounters

    /// - Parameters:
    ///   - role: whether it evaluates records, or what other detectors have handed on.
    ///   - tracking: with it, ``takeStateChanges()`` tells what to keep; costs nothing otherwise.
    public init(
        _ rules: CompiledRules, options: EvaluatorOptions, role: DetectorRole = .inputs,
        tracking: StateTracking? = nil
    ) {
        self.rules = rules
        self.options = options
        recordNormalizer = RecordNormalizer(rules.queries.normalizers.tables, limits: options.decodeLimits)
        evaluator = Evaluator(
            rules.queries, options: options, forwarded: rules.forwarded, role: role, tracksState: tracking != nil,
            prefilter: role == .inputs ? rules.prefilter : nil)
        keeper = tracking.map { StateKeeper($0, rules: rules.rules) }
        evidenceDecoder = rules.queries.makeDecoder(limits: options.decodeLimits)
        evidenceMatcher = Matcher(rules.queries.program)
        suppressor = Suppressor(
            rules, limits: options.decodeLimits, verbatimTopics: options.verbatimTopics,
            tracksChanges: tracking != nil)
        signals = Array(repeating: SignalCounter(), count: rules.rules.count)
        totals = DetectionCounters(rules: rules.rules.count)
    }

    /// Goes on where `old` has come to, with another set of rules, from the next record on.
    ///
    /// Time, sources and script blocks are taken over, and so is whatever is remembered for a rule that has the same id,
    /// content hash and suppression in both sets: half-finished sequences and samples, matches that wait for the
    /// watermark, suppression windows. A rule that is new or has changed begins with nothing. Counters go on; those of a rule
    /// or an exception go with its id, changed or not, and end with it.
    ///
    /// Take the findings of `old` first; it is of no use afterwards.
    public convenience init(_ rules: CompiledRules, replacing old: Detector) {
        precondition(old.evaluator.matches.isEmpty, "findings that nobody has taken")
        precondition(!old.evaluator.hasForwards, "hits for other lanes that nobody has taken")
        self.init(rules, options: old.options, role: old.evaluator.role, tracking: old.keeper?.tracking)
        let predecessors = rules.predecessors(in: old.rules)
        let origins = zip(rules.rules, predecessors).map { rule, former in
            former.flatMap { rule.continues(old.rules.rules[$0]) ? $0 : nil }
        }
        let kept = Set(origins.compactMap(\.self))
        for rule in old.rules.rules.indices where !kept.contains(rule) {
            old.evaluator.abandon(rule)
            old.suppressor.abandon(rule)
        }
        if var former = old.keeper {
            let pending = former.takeRecords(from: old.evaluator, old.suppressor)
            keeper = StateKeeper(former, rules: rules.rules, pending: pending)
        }
        evaluator.takeOver(old.evaluator, origins: origins)
        evaluator.count(on: old.evaluator, exceptions: rules.formerExceptions(in: old.rules))
        suppressor.takeOver(old.suppressor, origins: origins)
        suppressor.count(on: old.suppressor, predecessors: predecessors)
        totals.shadowed = old.totals.shadowed
        for (index, former) in predecessors.enumerated() {
            guard let former else { continue }
            totals.findings[index] = old.totals.findings[former]
            totals.beyondSignalCap[index] = old.totals.beyondSignalCap[former]
            if origins[index] != nil { signals[index] = old.signals[former] }
        }
    }

    public var counters: EvaluatorCounters { evaluator.counters }

    public var detectionCounters: DetectionCounters {
        var totals = totals
        totals.correlation = evaluator.correlationCounters
        totals.exceptions = evaluator.exceptionCounters
        totals.suppression = suppressor.counters
        return totals
    }

    /// Keys that correlations hold something for.
    public var liveKeys: Int { evaluator.liveKeys }

    public var watermark: EventTime? { evaluator.currentWatermark }

    // MARK: Sources

    /// Announces a source without a name; its number goes with every record of it.
    public func addSource() -> Int { evaluator.addSource() }

    /// Announces a partition. When it is in the restored state it goes on from there.
    public func addSource(topic: TopicID, partition: Int32) -> Int {
        evaluator.addSource(topic: topic, partition: partition)
    }

    public func removeSource(_ source: Int) { evaluator.removeSource(source) }

    public func setIdle(_ source: Int) { evaluator.setIdle(source) }

    /// The oldest offset of a partition that still waits for the watermark.
    public func oldestHeldOffset(topic: TopicID, partition: Int32) -> Int64? {
        evaluator.oldestHeldOffset(topic: topic, partition: partition)
    }

    // MARK: Records

    /// Takes one record, borrowed for the call.
    ///
    /// - Parameter recordTime: the log's timestamp; it serves a record that has none of its own.
    /// - Returns: why the record could not be decoded, or nil.
    public func process(
        _ payload: UnsafeRawBufferPointer, origin: RecordOrigin, source: Int, recordTime: EventTime?
    ) -> DecodeFailure? {
        evaluator.process(payload, origin: origin, source: source, recordTime: recordTime)
    }

    /// Whether the record taken last was decoded, and not passed over for its bytes
    /// (``CompiledRules/prefiltered(recordsHaveTimes:)``).
    public var hasEvent: Bool { evaluator.hasEvent }

    /// Evaluates one rule by itself against the record taken last, which must have decoded: what that costs by `clock`.
    public func measure(rule: Int, clock: () -> UInt64) -> UInt64 { evaluator.measure(query: rule, clock: clock) }

    /// A hash of what the record taken last, which must have decoded, has in ``CompiledRules/partitionKey``; nil when that
    /// is nothing or not a string. The same in every process.
    public var partitionKeyHash: UInt64? { rules.partitionKey.flatMap { evaluator.hash(of: $0) } }

    /// Moves the watermark; call it once a batch.
    public func advance() {
        evaluator.advanceWatermark()
        // Matches that wait to be taken come first: whether they repeat an alert is not decided yet.
        if evaluator.matches.isEmpty, let watermark { suppressor.expire(watermark) }
    }

    /// Ends the input: nothing waits any longer.
    public func finish() { evaluator.finish() }

    /// The findings since the last call, in the order in which they became complete. Those of shadow rules are among
    /// them; where they go is the caller's business.
    public func takeFindings() -> [Finding] {
        guard !evaluator.matches.isEmpty else { return [] }
        for match in evaluator.takeMatches() { add(match) }
        defer { findings.removeAll(keepingCapacity: true) }
        return findings
    }

    private func add(_ match: QueryMatch) {
        let rule = rules.rules[match.query]
        totals.findings[match.query] += 1
        // Before the evidence is put together, which costs more.
        guard case .alert(let suppression) = suppressor.judge(match) else { return }
        if rule.stage == .shadow { totals.shadowed += 1 }
        if let time = match.events.last?.timestamp, signals[match.query].exceeds(rule.signalCap, at: time) {
            totals.beyondSignalCap[match.query] += 1
        }
        findings.append(
            Finding(
                rule: rule,
                evidence: evidence(of: match),
                joinKeys: match.key.values.map(\.text), isLate: match.events.contains(where: \.isLate),
                suppression: suppression))
    }

    /// The records of a match; a step that asks for a missing event has none.
    private func evidence(of match: QueryMatch) -> [Evidence] {
        var stage = 0
        return match.steps.enumerated().compactMap { step, event in
            guard let event else { return nil }
            defer { stage += 1 }
            return evidence(of: event, step: step, condition: rules.queries.condition(query: match.query, stage: stage))
        }
    }

    /// Decodes a retained event once more and asks the rule's own plan what matched.
    private func evidence(of event: RetainedEvent, step: Int, condition: Int) -> Evidence {
        var evidence = Evidence(stage: step, event: event)
        // It decoded before, under the same limits.
        let normalizes = options.normalizes(event.origin.topic)
        guard event.bytes.withUnsafeBytes({ evidenceDecoder.decode($0, normalizes: normalizes) }) == nil else {
            return evidence
        }
        if evidenceDecoder.table != nil {
            evidence.normalized = (try? recordNormalizer.normalize(event.bytes))?.bytes
        }
        let decoded = evidenceDecoder.event
        evidence.matches = evidenceMatcher.explain(condition, for: decoded).map { test in
            PredicateMatch(
                field: test.field.dotted, operation: test.operation,
                value: String(decoding: test.value, as: UTF8.self), span: test.span)
        }
        if let candidate = decoded.hostKeyCandidate, let value = decoded.first(rules.queries.hostKeyField) {
            evidence.hostKey = HostKey(
                value: String(decoding: value.text, as: UTF8.self),
                field: rules.queries.fields.hostKey[candidate].dotted)
        }
        return evidence
    }
}

extension Rule {
    /// Whether what is remembered for `other` holds for this rule.
    fileprivate func continues(_ other: Rule) -> Bool {
        contentHash == other.contentHash && suppression == other.suppression
    }
}
