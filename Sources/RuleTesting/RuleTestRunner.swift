import Alerts
import Correlation
import Detection
import EQL
import EventSchema
import Events
public import Matching
public import Normalization
public import Rules

/// Runs the tests of one rule on the engine that `apus run` uses, and on nothing else.
public struct RuleTestRunner {
    public let rule: Rule
    private let compiled: CompiledRules

    /// - Parameter normalizers: how events that are not ECS become it.
    /// - Throws: the first pattern that Vectorscan refuses.
    public init(_ rule: Rule, normalizers: [NormalizerTable] = []) throws(PatternProblem) {
        self.rule = rule
        compiled = try CompiledRules(RuleSet([rule.activated]), normalizers: normalizers)
    }

    public func run(_ tests: [RuleTest]) -> [RuleTestResult] {
        tests.map { RuleTestResult(test: $0, failures: failures(of: $0)) }
    }

    /// What is not as the test wants it; empty when it passes.
    private func failures(of test: RuleTest) -> [RuleTestResult.Failure] {
        let (findings, unreadable) = findings(for: test.events.map(\.bytes))
        var failures = unreadable.map { index, failure in
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
                        ? findings.map(Self.description) : reasons(against: test.events)))
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

    /// What the rule finds in these records, in this order of arrival.
    func findings(for records: [[UInt8]]) -> (findings: [Finding], unreadable: [(Int, DecodeFailure)]) {
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
        return (detector.takeFindings(), unreadable)
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
    private func reasons(against events: [TestEvent]) -> [String] {
        let explainer = Explainer(compiled.queries)
        var nearest: [(part: QueryPart, event: Int, verdicts: VerdictTree)] = []
        var isPassed: [Bool] = []
        for (index, event) in events.enumerated() {
            let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(index))
            let explanation = event.bytes.withUnsafeBytes { explainer.explain($0, origin: origin) }
            guard case .read(let parts) = explanation.outcome else { continue }
            for (number, part) in parts.enumerated() {
                if nearest.count <= number {
                    nearest.append((part.part, index, part.verdicts))
                    isPassed.append(false)
                }
                isPassed[number] = isPassed[number] || part.holds
                if part.verdicts.distance < nearest[number].verdicts.distance {
                    nearest[number] = (part.part, index, part.verdicts)
                }
            }
        }
        var reasons: [String] = []
        for (part, passed) in zip(nearest, isPassed) where !passed && part.part.isPositive {
            reasons.append("\(part.part.name): event \(part.event + 1) comes nearest")
            reasons += ExplanationText().lines(part.verdicts).map { "  \($0)" }
        }
        guard reasons.isEmpty else { return reasons }
        return explainer.finish().steps.map { step in
            let cause = step.cause.map { "event \($0.origin.offset + 1)" } ?? "the end"
            return "\(cause): \(step.sentence { "event \($0.origin.offset + 1)" })"
        }
    }
}

/// What came of one test.
public struct RuleTestResult: Sendable {
    public let test: RuleTest
    public let failures: [Failure]

    public var passed: Bool { failures.isEmpty }

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
