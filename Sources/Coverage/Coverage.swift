public import EQL
public import EventSchema
public import Rules

/// What a rule set covers: techniques, and the fields that have to be there for it.
public struct Coverage: Sendable {
    public struct RuleCoverage: Sendable {
        public let rule: Rule
        /// One for an event query, one per stage of a correlation. Events that must be missing need not be there.
        public let stages: [Stage]

        /// Every field the rule reads, sorted.
        public var fields: [FieldPath] { Set(stages.flatMap(\.fields)).sorted() }
    }

    /// A condition that has to hold for some event, with the keys it is joined by.
    public struct Stage: Sendable {
        /// From 1; 0 for an event query.
        public let number: Int
        public let condition: Condition
        /// Join keys that must have a value.
        public let keys: [FieldPath]

        public var fields: [FieldPath] { condition.fields + keys.filter { !condition.fields.contains($0) } }

        /// Whether an event with values in just the fields that `isPresent` says could take part.
        public func canHold(_ isPresent: (FieldPath) -> Bool) -> Bool {
            keys.allSatisfy(isPresent) && condition.canHold(isPresent)
        }

        /// The ways to satisfy the condition of which `isPresent` rules out every one: alternatives of its outermost `or`.
        public func deadAlternatives(_ isPresent: (FieldPath) -> Bool) -> [Condition] {
            condition.alternatives.filter { !$0.canHold(isPresent) }
        }
    }

    /// By severity, the gravest first, then by name.
    public let rules: [RuleCoverage]

    public init(_ set: RuleSet) {
        rules = set.rules
            .sorted { ($1.severity.number, $0.name, $0.id) < ($0.severity.number, $1.name, $1.id) }
            .map { RuleCoverage(rule: $0, stages: Self.stages(of: $0)) }
    }

    private static func stages(of rule: Rule) -> [Stage] {
        let stages: [EQL.Stage] =
            switch rule.checked.form {
            case .event(let condition): [EQL.Stage(condition: condition, keys: [])]
            case .sequence(let plan): plan.stages
            case .sample(let plan): plan.stages
            }
        return stages.enumerated().map { index, stage in
            Stage(
                number: stages.count == 1 ? 0 : index + 1, condition: stage.condition,
                keys: stage.keys.filter { !$0.isOptional }.map(\.path))
        }
    }

    /// All fields that some rule reads, with the rules that do; by how many, then by name.
    public var fields: [(field: FieldPath, rules: [Rule])] {
        var rulesByField: [FieldPath: [Rule]] = [:]
        for covered in rules { for field in covered.fields { rulesByField[field, default: []].append(covered.rule) } }
        return rulesByField.map { ($0.key, $0.value) }
            .sorted { ($1.1.count, $0.0) < ($0.1.count, $1.0) }
    }
}

extension Condition {
    /// The parts of an outermost `or`, with what stands beside it: `a and (b or c)` is `a and b` or `a and c`. The
    /// condition itself where there is no `or`.
    fileprivate var alternatives: [Condition] {
        switch self {
        case .any(let parts): return parts
        case .all(let parts):
            guard let index = parts.firstIndex(where: { if case .any = $0 { true } else { false } }),
                case .any(let choices) = parts[index]
            else { return [self] }
            return choices.map { choice in
                var parts = parts
                parts[index] = choice
                return .all(parts)
            }
        case .constant, .test, .expression, .not: return [self]
        }
    }
}
