import Detection
import EQL
import EventSchema
public import Matching
public import Rules

/// Writes a starting fixture from a rule's query: for each way in which the query can be met a match, and for each
/// condition of that way a near miss in which only that condition is not met. Where there is one way only, a second
/// match that differs by a value, by letter case, or by fields that the query does not ask for.
///
/// Every test is tried on the engine before it is written, so the fixture passes; whether it says what the rule is
/// meant to say is for its author to judge.
public struct FixtureGenerator {
    public struct Generated: Sendable {
        /// The fixture, as YAML.
        public var text: String
        public var matches = 0
        public var nearMisses = 0
        /// Conditions no near miss was found for, as EQL.
        public var unsolved: [String] = []
    }

    private typealias Fields = EventSolver.Fields

    /// One event of a test and how long after the first it comes.
    private struct Step {
        var seconds: Int64
        var fields: Fields
    }

    private let rule: Rule
    private let runner: RuleTestRunner
    private let solver: EventSolver
    private var generated = Generated(text: "")

    /// - Throws: the first pattern that Vectorscan refuses.
    public init(_ rule: Rule) throws(PatternProblem) {
        self.rule = rule
        runner = try RuleTestRunner(rule)
        solver = EventSolver(try CompiledRules(RuleSet([rule.activated])).queries)
    }

    /// - Returns: nil when no event was found that the rule matches.
    public func generate() -> Generated? {
        var copy = self
        copy.generated.text = "# Written by apus test --generate from the query of \(rule.name).\ntests:\n"
        switch rule.checked.form {
        case .event(let condition): copy.addEvents(condition)
        case .sequence(let plan): copy.addSequence(plan)
        case .sample(let plan): copy.addSample(plan)
        }
        return copy.generated.matches > 0 ? copy.generated : nil
    }

    // MARK: Event queries

    private mutating func addEvents(_ condition: Condition) {
        var tried: Set<Requirement> = []
        var matches: [(way: [Requirement], fields: Fields)] = []
        var misses: [(way: [Requirement], requirement: Requirement, fields: Fields)] = []
        for way in Self.representatives(of: condition) {
            guard let fields = solver.record(meeting: way, condition: 0, holds: true),
                !matches.contains(where: { $0.fields == fields }),
                add(.match, way.map(\.text.shortened).joined(separator: " and "), [Step(seconds: 0, fields: fields)])
            else { continue }
            matches.append((way, fields))
            for requirement in way where tried.insert(requirement).inserted {
                let miss = addNearMiss(of: requirement, in: way, stage: 0) { [Step(seconds: 0, fields: $0)] }
                if let miss { misses.append((way, requirement, miss)) }
            }
        }
        if matches.count == 1 { addOtherMatch(matches[0].way, than: matches[0].fields) }
        if misses.count == 1 {
            addOtherNearMiss(of: misses[0].requirement, in: misses[0].way, than: misses[0].fields)
        }
    }

    /// A match beside the only one.
    private mutating func addOtherMatch(_ way: [Requirement], than first: Fields) {
        for miss in [nil] + way.filter({ !$0.holds }) {
            if let fields = solver.record(
                meeting: way, condition: 0, holds: true, missing: miss, otherThan: [first])
            {
                let changed = Set(fields.keys).union(first.keys).filter { fields[$0] != first[$0] }.sorted()
                let name = "the same with another \(changed.map(\.dotted).joined(separator: ", "))"
                if add(.match, name, [Step(seconds: 0, fields: fields)]) { return }
            }
        }
        for (path, values) in first.sorted(by: { $0.key < $1.key }) {
            let turned = values.map(\.inOtherCase)
            guard turned != values else { continue }
            let fields = first.merging([path: turned]) { $1 }
            if add(.match, "the same with \(path) in other letters", [Step(seconds: 0, fields: fields)]) { return }
        }
        add(.match, "the same with more fields", [Step(seconds: 0, fields: Self.withMore(first))])
    }

    /// A near miss beside the only one.
    private mutating func addOtherNearMiss(of requirement: Requirement, in way: [Requirement], than first: Fields) {
        let other = addNearMiss(of: requirement, in: way, stage: 0, otherThan: first) {
            [Step(seconds: 0, fields: $0)]
        }
        if other == nil {
            let name = "all but \(requirement.text.shortened), with more fields"
            add(.nearMiss, name, [Step(seconds: 0, fields: Self.withMore(first))])
        }
    }

    /// With fields that records of many sources have and queries hardly ask for.
    private static func withMore(_ fields: Fields) -> Fields {
        fields.merging(["ecs.version": [.string("8.11.0")], "host.name": [.string("ws-1")]]) { own, _ in own }
    }

    /// Of all ways to meet a condition, those that between them use every leaf that any of them uses.
    private static func representatives(of condition: Condition) -> [[Requirement]] {
        var used: Set<Requirement> = []
        return Requirement.ways(condition).filter { way in
            guard !used.isSuperset(of: way) else { return false }
            used.formUnion(way)
            return true
        }
    }

    /// A near miss in which all of `way` holds but one requirement; the fields of the event that misses it.
    @discardableResult
    private mutating func addNearMiss(
        of requirement: Requirement, in way: [Requirement], stage: Int, keys: Fields = [:],
        otherThan known: Fields? = nil, steps: (Fields) -> [Step]
    ) -> Fields? {
        for changed in [[requirement.negated]]
            + Self.refusals(stage < conditions.count ? conditions[stage] : nil, requirement)
        {
            let kept = way.filter { $0 != requirement && !changed.contains($0.negated) }
            guard
                let fields = solver.record(
                    meeting: kept + changed, condition: stage, holds: false,
                    missing: requirement.holds ? requirement.negated : nil, otherThan: known.map { [$0] } ?? [])
            else { continue }
            let name = rule.isCorrelation ? "stage \(stage + 1), all but" : known == nil ? "all but" : "again all but"
            let keyed = fields.merging(keys) { own, _ in own }
            if add(.nearMiss, "\(name) \(requirement.text.shortened)", steps(keyed)) { return fields }
        }
        if known == nil { generated.unsolved.append(requirement.text) }
        return nil
    }

    private var conditions: [Condition] { rule.checked.conditions }

    /// Where other alternatives would take a requirement's place: what else must not be for the condition not to hold.
    private static func refusals(_ condition: Condition?, _ requirement: Requirement) -> [[Requirement]] {
        guard let condition else { return [] }
        return Requirement.ways(condition, false).filter { $0.count > 1 && $0.contains(requirement.negated) }
    }

    // MARK: Correlations

    private mutating func addSequence(_ plan: SequencePlan) {
        guard let events = events(of: plan.stages) else { return }
        guard let steps = complete(events, maxspan: plan.maxspan) else { return }
        add(.match, "every stage in order", steps)
        var edge = steps
        edge[edge.count - 1].seconds = plan.maxspan.map { $0 / 1_000_000_000 } ?? 60
        add(
            .match, plan.maxspan == nil ? "the last stage a minute later" : "the last stage as late as maxspan allows",
            edge)
        addNearMisses(of: plan.stages, events: steps, isOrdered: true, maxspan: plan.maxspan)
        for gap in plan.gaps {
            guard let fields = event(of: gap.stage, condition: plan.stages.count) else { continue }
            var broken = steps
            let at = gap.position < steps.count ? steps[gap.position].seconds - 1 : steps[steps.count - 1].seconds + 1
            broken.append(Step(seconds: at, fields: fields))
            broken.sort { $0.seconds < $1.seconds }
            if !add(.nearMiss, "with an event that must be missing", broken) {
                generated.unsolved.append("![\(gap.stage.condition)]")
            }
        }
    }

    private mutating func addSample(_ plan: SamplePlan) {
        guard let events = events(of: plan.stages) else { return }
        let steps = events.enumerated().map { Step(seconds: Int64($0), fields: $1) }
        add(.match, "every stage", steps)
        var reversed = steps
        for (index, fields) in events.reversed().enumerated() { reversed[index].fields = fields }
        add(.match, "every stage, the other way round", reversed)
        addNearMisses(of: plan.stages, events: steps, isOrdered: false, maxspan: plan.maxspan)
    }

    /// Two seconds apart, or closer where the window is shorter, so that a missing event has room between.
    private func complete(_ events: [Fields], maxspan: Int64?) -> [Step]? {
        let span = maxspan.map { $0 / 1_000_000_000 } ?? .max
        let distance: Int64 = span >= Int64(events.count - 1) * 2 ? 2 : 0
        return events.enumerated().map { Step(seconds: Int64($0) * distance, fields: $1) }
    }

    private mutating func addNearMisses(of stages: [Stage], events: [Step], isOrdered: Bool, maxspan: Int64?) {
        for (number, stage) in stages.enumerated() {
            guard let way = Requirement.ways(stage.condition).first else { continue }
            let keys = Self.keys(of: stage)
            for requirement in way {
                addNearMiss(of: requirement, in: way, stage: number, keys: keys) { fields in
                    var steps = events
                    steps[number].fields = fields
                    return steps
                }
            }
        }
        if isOrdered {
            var reversed = events
            for (index, step) in events.reversed().enumerated() { reversed[index].fields = step.fields }
            add(.nearMiss, "the stages in the other order", reversed)
        }
        if let maxspan {
            var late = events
            late[late.count - 1].seconds = maxspan / 1_000_000_000 + 1
            add(.nearMiss, "the last stage after maxspan", late)
        }
        if let key = stages.last?.keys.first.map({ EventSolver.sources[$0.path] ?? $0.path }) {
            var apart = events
            apart[apart.count - 1].fields[key] = [stages[0].keys[0].type.otherSample]
            add(.nearMiss, "another \(key) at the last stage", apart)
        }
    }

    /// An event for every stage, with the same join keys.
    private func events(of stages: [Stage]) -> [Fields]? {
        let events = stages.enumerated().compactMap { event(of: $1, condition: $0) }
        return events.count == stages.count ? events : nil
    }

    private func event(of stage: Stage, condition: Int) -> Fields? {
        for way in Requirement.ways(stage.condition) {
            if let fields = solver.record(meeting: way, condition: condition, holds: true) {
                return fields.merging(Self.keys(of: stage)) { own, _ in own }
            }
        }
        return nil
    }

    private static func keys(of stage: Stage) -> Fields {
        var keys: Fields = [:]
        for key in stage.keys { keys[EventSolver.sources[key.path] ?? key.path] = [key.type.sample] }
        return keys
    }

    // MARK: Writing

    /// Adds a test if the engine agrees with it.
    @discardableResult
    private mutating func add(_ kind: RuleTest.Kind, _ name: String, _ steps: [Step]) -> Bool {
        let records = steps.map { step in
            var record = RecordObject(step.fields)
            let time = EventTime(nanoseconds: Fixture.start.nanoseconds + step.seconds * 1_000_000_000)
            if record[.timestamp] == nil { record.merge(.string(time.description), at: .timestamp) }
            var bytes: [UInt8] = []
            record.write(to: &bytes)
            return bytes
        }
        guard runner.findings(for: records).count == (kind == .match ? 1 : 0) else { return false }
        generated.text += "  - \(kind.rawValue): \(YAMLText.quoted(name))\n    events:\n"
        for step in steps {
            var lead = "      - "
            if steps.count > 1 {
                generated.text += "\(lead)at: +\(step.seconds)s\n"
                lead = "        "
            }
            if step.fields.allSatisfy({ $0.value.isEmpty }) {
                generated.text += "\(lead)json: '{}'\n"
                continue
            }
            generated.text += "\(lead)fields:\n"
            for (path, values) in step.fields.sorted(by: { $0.key < $1.key }) where !values.isEmpty {
                let value = values.count == 1 ? values[0] : RecordValue.list(values)
                generated.text += "          \(YAMLText.key(path.dotted)): \(YAMLText.flow(value))\n"
            }
        }
        if kind == .match { generated.matches += 1 } else { generated.nearMisses += 1 }
        return true
    }
}

/// Values as YAML that reads back as the same values.
enum YAMLText {
    static func flow(_ value: RecordValue) -> String {
        switch value {
        case .null: "null"
        case .boolean(let value): String(value)
        case .number(let text): text
        case .string(let text): quoted(text)
        case .list(let values): "[\(values.map(flow).joined(separator: ", "))]"
        case .object(let object):
            "{\(object.members.map { "\(key($0.name)): \(flow($0.value))" }.joined(separator: ", "))}"
        }
    }

    static func key(_ name: String) -> String {
        let isPlain = name.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || $0.properties.numericType != nil || "._-".unicodeScalars.contains($0))
        }
        return isPlain && !name.isEmpty ? name : quoted(name)
    }

    /// In single quotes; in double quotes when there is something to be escaped.
    static func quoted(_ text: String) -> String {
        let isPrintable = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0.value < 0xFFFE }
        if isPrintable { return "'\(text.replacing("'", with: "''"))'" }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                quoted += "\\x\(scalar.value < 16 ? "0" : "")\(String(scalar.value, radix: 16))"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension String {
    /// For a title.
    fileprivate var shortened: String { count > 80 ? prefix(77) + "…" : self }
}

extension Rule {
    fileprivate var isCorrelation: Bool { if case .event = checked.form { false } else { true } }
}

extension RecordValue {
    /// A text in capitals, or in small letters where it has no others; anything else as it is.
    fileprivate var inOtherCase: RecordValue {
        guard case .string(let text) = self else { return self }
        let capitals = text.uppercased()
        return .string(capitals == text ? text.lowercased() : capitals)
    }
}

extension JoinKey {
    fileprivate var type: FieldType { Schema.ecs.type(of: path) }
}

extension FieldType {
    /// Not ``sample``.
    fileprivate var otherSample: RecordValue {
        switch sample {
        case .string(let text): self == .ip ? .string("192.0.2.2") : .string("other-\(text)")
        case .number: .number("2")
        case .boolean: .boolean(false)
        case let other: other
        }
    }
}
