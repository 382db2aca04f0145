import EventSchema

extension Linter {
    /// - Parameter isWhole: nothing stands beside it: `any where true` is how one asks for every event.
    mutating func lint(_ expression: Expression, isWhole: Bool = false) {
        switch expression.kind {
        case .and:
            lint(expression.conjuncts, joinedBy: .all)
        case .or:
            lint(expression.disjuncts, joinedBy: .any)
        case .not(let inner):
            lint(inner)
        case .membership(_, let items, let caseInsensitive, _):
            lintDuplicates(items, caseInsensitive: caseInsensitive)
            if !isWhole { lintConstant(expression) }
        case .pattern(_, let operation, let patterns):
            lintDuplicates(patterns, caseInsensitive: operation != .like && operation != .regex)
        case .literal, .field, .comparison, .call, .negative, .arithmetic:
            if !isWhole { lintConstant(expression) }
        }
    }

    private mutating func lintConstant(_ expression: Expression) {
        guard let meaning = meaning(of: expression), case .constant(let value) = meaning.condition else { return }
        let always = meaning.isNull ? "null, and so never true" : value ? "true" : "false"
        warn("this is always \(always)", at: expression.span, hint: "It decides nothing, or everything: leave it out")
    }

    private mutating func lintDuplicates(_ items: [Expression], caseInsensitive: Bool) {
        var seen: Set<String> = []
        for item in items {
            guard let literal = item.constant else { continue }
            let text = caseInsensitive ? ASCII.lowercased(literal.text) : literal.text
            if !seen.insert(text).inserted {
                warn(
                    "this value is in the list already", at: item.span,
                    hint: caseInsensitive ? "Upper and lower case are the same here" : nil)
            }
        }
    }
}

// MARK: - Parts beside each other

/// How parts are joined.
private enum Joint {
    case all
    case any
}

/// What the parts to the left of one have said.
private struct Earlier {
    var conditions: Set<Condition> = []
    var required: Set<FieldPath> = []
    var absent: Set<FieldPath> = []

    mutating func add(_ condition: Condition) {
        conditions.insert(condition)
        required.formUnion(condition.required)
        absent.formUnion(condition.absent)
    }

    /// A field that must have a value and have none.
    func contradiction(with condition: Condition) -> FieldPath? {
        required.intersection(condition.absent).union(absent.intersection(condition.required)).min()
    }
}

extension Linter {
    private mutating func lint(_ parts: [Expression], joinedBy joint: Joint) {
        for part in parts { lint(part) }
        var earlier = Earlier()
        for part in parts {
            guard let meaning = meaning(of: part), meaning.condition.constant == nil else { continue }
            lint(meaning.condition, at: part.span, after: earlier, joint)
            earlier.add(meaning.condition)
        }
    }

    private mutating func lint(_ condition: Condition, at span: Span, after earlier: Earlier, _ joint: Joint) {
        if earlier.conditions.contains(condition) {
            warn("this stands here already", at: span, hint: "Leave one of the two out")
            return
        }
        let hasOpposite = earlier.conditions.contains(Condition.not(condition).normalised)
        switch joint {
        case .any:
            guard hasOpposite else { return }
            warn("this or its opposite is always true, so that nothing is left to decide", at: span)
        case .all:
            if hasOpposite {
                warn("this and its opposite are never true together", at: span)
            } else if let field = earlier.contradiction(with: condition) {
                warn(
                    "`\(field)` cannot be absent and have a value at once", at: span,
                    hint: "Join the two by `or` if either will do")
            }
        }
    }
}

extension Condition {
    var constant: Bool? {
        if case .constant(let value) = self { value } else { nil }
    }

    /// Fields without a value of which this does not hold.
    fileprivate var required: Set<FieldPath> {
        switch self {
        case .test(let test): [test.field]
        case .all(let parts): parts.reduce(into: []) { $0.formUnion($1.required) }
        case .any(let parts): parts.dropFirst().reduce(parts.first?.required ?? []) { $0.intersection($1.required) }
        case .constant, .expression, .not: []
        }
    }

    /// Fields with a value of which this does not hold.
    fileprivate var absent: Set<FieldPath> {
        switch self {
        case .not(.test(let test)): if case .exists = test.test { [test.field] } else { [] }
        case .all(let parts): parts.reduce(into: []) { $0.formUnion($1.absent) }
        case .any(let parts): parts.dropFirst().reduce(parts.first?.absent ?? []) { $0.intersection($1.absent) }
        case .constant, .test, .expression, .not: []
        }
    }
}
