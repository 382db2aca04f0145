import Alerts
import Correlation
public import Detection
import EQL
import EventSchema
import Events
public import Matching
public import Normalization
public import Rules

/// Runs the tests of one rule on the engine that `apus run` uses, and on nothing else.
public struct RuleTestRunner {
    public let rule: Rule
    /// The rule with the exceptions that are for it.
    private let compiled: CompiledRules
    /// The rule without them; nil when no exceptions are tried.
    private let bare: CompiledRules?

    /// - Parameters:
    ///   - exceptions: what is left out. Nil tries none: excepted cases are then held to match, and to no more.
    ///   - normalizers: how events that are not ECS become it.
    /// - Throws: the first pattern that Vectorscan refuses.
    public init(
        _ rule: Rule, exceptions: ExceptionSet? = nil, normalizers: [NormalizerTable] = []
    ) throws(PatternProblem) {
        self.rule = rule
        let rules = RuleSet([rule.activated])
        let own = ExceptionSet(exceptions?.exceptions.filter { $0.scope.contains(rule) } ?? [])
        compiled = try CompiledRules(rules, exceptions: own, normalizers: normalizers)
        if exceptions == nil {
            bare = nil
        } else {
            bare = own.exceptions.isEmpty ? compiled : try CompiledRules(rules, normalizers: normalizers)
        }
    }

    public func run(_ tests: [RuleTest]) -> [RuleTestResult] { tests.map { result(of: $0) } }

    private func result(of test: RuleTest) -> RuleTestResult {
        let run = run(compiled, test.events.map(\.bytes))
        let counts = zip(compiled.exceptions, run.exceptions).filter { $1 != ExceptionCounters() }
            .map { RuleTestResult.ExceptionHits(id: $0.id, counters: $1) }
        guard test.kind == .excepted, let bare else {
            return RuleTestResult(
                test: test, failures: failures(of: test, in: run, of: compiled), exceptions: counts,
                isTried: test.kind != .excepted)
        }
        let withoutThem = failures(of: test, in: self.run(bare, test.events.map(\.bytes)), of: bare)
        return RuleTestResult(
            test: test, failures: withoutThem.isEmpty ? exceptionFailures(of: test, in: run, counts) : withoutThem,
            exceptions: counts, isTried: true)
    }

    /// Why a match is not, or not rightly, left out.
    private func exceptionFailures(
        of test: RuleTest, in run: Run, _ counts: [RuleTestResult.ExceptionHits]
    ) -> [RuleTestResult.Failure] {
        var failures: [RuleTestResult.Failure] = []
        for id in test.exceptions where !counts.contains(where: { $0.id == id && $0.counters.hits > 0 }) {
            let message: String
            if let exception = compiled.exceptions.first(where: { $0.id == id }) {
                message =
                    counts.contains { $0.id == id }
                    ? "exception \(id) expired at \(exception.expiry?.description ?? ""), before these events"
                    : "exception \(id) holds for no event that the rule matches"
            } else {
                message = "no exception \(id) for this rule is among those that were given"
            }
            failures.append(.init(message, at: test.place))
        }
        if !run.findings.isEmpty, failures.isEmpty {
            let count = "\(run.findings.count) \(run.findings.count == 1 ? "finding" : "findings")"
            failures.append(
                .init(
                    "\(count) where exceptions leave out everything", at: test.place,
                    details: run.findings.map(Self.description)))
        }
        return failures
    }

    /// What is not as the test wants it; empty when it passes.
    private func failures(
        of test: RuleTest, in run: Run, of compiled: CompiledRules
    ) -> [RuleTestResult.Failure] {
        let findings = run.findings
        var failures = run.unreadable.map { index, failure in
            RuleTestResult.Failure(
                "event \(index + 1) cannot be read: \(failure.reason)", at: test.events[index].place)
        }
        let expected = test.expected
        guard findings.count == expected.findings else {
            let count = "\(findings.count) \(findings.count == 1 ? "finding" : "findings")"
            let wanted = expected.findings == 0 ? "none" : "\(expected.findings)"
            failures.append(
                .init(
                    "\(count) where \(wanted) \(expected.findings == 1 ? "is" : "are") expected", at: test.place,
                    details: findings.count > expected.findings
                        ? findings.map(Self.description) : reasons(against: test.events, compiled)))
            return failures
        }
        if let steps = expected.steps {
            let found = findings.map { $0.evidence.map { Int($0.origin.offset) + 1 } }
            if found != steps {
                failures.append(
                    .init(
                        "the events of the findings are \(Self.text(found)) where \(Self.text(steps)) are expected",
                        at: test.place, details: findings.map(Self.description)))
            }
        }
        for evidence in expected.evidence where !findings.contains(where: { evidence.isIn($0) }) {
            failures.append(
                .init(
                    "no finding names \(evidence.field) with \"\(evidence.text)\"", at: test.place,
                    details: findings.map(Self.description)))
        }
        return failures
    }

    /// What came of records.
    private struct Run {
        var findings: [Finding]
        var unreadable: [(Int, DecodeFailure)]
        /// In the order of the rules' exceptions.
        var exceptions: [ExceptionCounters]
    }

    /// What the rule finds in these records, in this order of arrival.
    func findings(for records: [[UInt8]]) -> [Finding] { run(compiled, records).findings }

    private func run(_ compiled: CompiledRules, _ records: [[UInt8]]) -> Run {
        let detector = Detector(
            compiled,
            options: EvaluatorOptions(ordering: .stream(lateness: .max), correlationLimits: .bounded))
        let source = detector.addSource()
        var unreadable: [(Int, DecodeFailure)] = []
        for (index, bytes) in records.enumerated() {
            let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(index))
            let failure = bytes.withUnsafeBytes {
                detector.process($0, origin: origin, source: source, recordTime: nil)
            }
            if let failure { unreadable.append((index, failure)) }
        }
        detector.finish()
        return Run(
            findings: detector.takeFindings(), unreadable: unreadable,
            exceptions: detector.detectionCounters.exceptions)
    }

    // MARK: Saying why

    private static func text(_ steps: [[Int]]) -> String {
        steps.map { "[\($0.map(String.init).joined(separator: ", "))]" }.joined(separator: " and ")
    }

    private static func description(_ finding: Finding) -> String {
        finding.evidence.map { evidence in
            let matches = evidence.matches.map { "\($0.field) \($0.operation) \"\($0.value.shortened)\"" }
            return "event \(evidence.origin.offset + 1): \(matches.joined(separator: "; "))"
        }.joined(separator: "\n")
    }

    /// For each part of the query that no event passes, what the event that comes nearest lacks; and for a correlation
    /// what became of its partial matches.
    private func reasons(against events: [TestEvent], _ compiled: CompiledRules) -> [String] {
        let explainer = Explainer(compiled.queries)
        var explanations: [EventExplanation] = []
        var nearest: [(part: QueryPart, event: Int, verdicts: VerdictTree)] = []
        var isPassed: [Bool] = []
        var leftOut: [String] = []
        for (index, event) in events.enumerated() {
            let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(index))
            explanations.append(event.bytes.withUnsafeBytes { explainer.explain($0, origin: origin) })
            explanations += explainer.takeBlocks()
        }
        let steps = explainer.finish().steps
        explanations += explainer.takeBlocks()
        for explanation in explanations {
            guard case .read(let parts) = explanation.outcome else { continue }
            let event = Int(explanation.origin.offset)
            for (number, part) in parts.enumerated() {
                for id in part.exceptions {
                    leftOut.append("\(part.part.name): event \(event + 1) is left out by exception \(id)")
                }
                if nearest.count <= number {
                    nearest.append((part.part, event, part.verdicts))
                    isPassed.append(false)
                }
                isPassed[number] = isPassed[number] || part.holds
                if part.verdicts.distance < nearest[number].verdicts.distance {
                    nearest[number] = (part.part, event, part.verdicts)
                }
            }
        }
        var reasons: [String] = []
        for (part, passed) in zip(nearest, isPassed) where !passed && part.part.isPositive {
            reasons.append("\(part.part.name): event \(part.event + 1) comes nearest")
            reasons += ExplanationText().lines(part.verdicts).map { "  \($0)" }
        }
        guard reasons.isEmpty, leftOut.isEmpty else { return leftOut + reasons }
        return steps.map { step in
            let cause = step.cause.map { "event \($0.origin.offset + 1)" } ?? "the end"
            return "\(cause): \(step.sentence { "event \($0.origin.offset + 1)" })"
        }
    }
}

/// What came of one test.
public struct RuleTestResult: Sendable {
    public let test: RuleTest
    public let failures: [Failure]
    /// Exceptions that held for events of the test, or would have, by their ids.
    public let exceptions: [ExceptionHits]
    /// Whether everything the test asks was tried: an excepted case without exceptions is only held to match.
    public let isTried: Bool

    public var passed: Bool { failures.isEmpty }

    public struct ExceptionHits: Sendable {
        public let id: String
        public let counters: ExceptionCounters
    }

    public struct Failure: Sendable {
        /// One sentence without a full stop.
        public let message: String
        public let place: RuleProblem.Place
        /// Lines that say why.
        public let details: [String]

        init(_ message: String, at place: RuleProblem.Place, details: [String] = []) {
            self.message = message
            self.place = place
            self.details = details.flatMap { $0.split(separator: "\n").map(String.init) }
        }
    }
}

extension RuleTest.Expectation.Evidence {
    func isIn(_ finding: Finding) -> Bool {
        finding.evidence.contains { $0.matches.contains { $0.field == field.dotted && $0.value.contains(text) } }
    }
}

extension String {
    fileprivate var shortened: String { count > 120 ? prefix(117) + "…" : self }
}

extension QueryPart {
    fileprivate var name: String {
        switch self {
        case .event: "event"
        case .stage(let number): "stage \(number)"
        case .missing(let number): "missing event \(number)"
        case .until: "until"
        }
    }

    fileprivate var isPositive: Bool {
        switch self {
        case .event, .stage: true
        case .missing, .until: false
        }
    }
}

extension VerdictTree {
    /// How many leaves would have to be otherwise for the tree to hold; 0 when it does.
    fileprivate var distance: Int { distance(to: true) }

    private func distance(to wanted: Bool) -> Int {
        switch self {
        case .constant(let value): value == wanted ? 0 : 1_000
        case .leaf(let leaf): leaf.holds == wanted ? 0 : 1
        case .not(let inner): inner.distance(to: !wanted)
        case .all(let parts):
            wanted
                ? parts.reduce(0) { $0 + $1.distance(to: true) } : parts.map { $0.distance(to: false) }.min() ?? 1_000
        case .any(let parts):
            wanted
                ? parts.map { $0.distance(to: true) }.min() ?? 1_000 : parts.reduce(0) { $0 + $1.distance(to: false) }
        }
    }
}
