/// What is known of a Boolean expression before any event is seen.
enum Verdict: Hashable, Sendable {
    /// Decided by the query alone; nil is null, which three-valued logic keeps apart from false.
    case constant(Bool?)
    case condition(Condition)

    static func test(_ test: FieldTest) -> Verdict { .condition(.test(test)) }

    /// Null at the root of a condition matches nothing.
    var condition: Condition {
        switch self {
        case .constant(let value): .constant(value ?? false)
        case .condition(let condition): condition
        }
    }

    static prefix func ! (verdict: Verdict) -> Verdict {
        switch verdict {
        case .constant(let value): .constant(value.map(!))
        case .condition(let condition): .condition(.not(condition))
        }
    }

    /// False decides; else null does, as Elasticsearch folds an `and` with a null in it.
    static func all(_ verdicts: [Verdict]) -> Verdict {
        if verdicts.contains(.constant(false)) { return .constant(false) }
        if verdicts.contains(.constant(nil)) { return .constant(nil) }
        let rest = verdicts.filter { $0 != .constant(true) }
        return rest.isEmpty ? .constant(true) : .condition(.all(rest.map(\.condition)))
    }

    /// True decides; null beside a condition leaves the decision to the condition.
    static func any(_ verdicts: [Verdict]) -> Verdict {
        if verdicts.contains(.constant(true)) { return .constant(true) }
        let rest = verdicts.filter { if case .condition = $0 { true } else { false } }
        if !rest.isEmpty { return .condition(.any(rest.map(\.condition))) }
        return .constant(verdicts.contains(.constant(nil)) ? nil : false)
    }
}
