import EventSchema

extension Checker {
    /// A Boolean expression. Leaves are two-valued: over a missing field they are false, `!=` is
    /// `not (… == …)`, and no negation is ever pushed into a leaf.
    mutating func lower(_ expression: Expression) -> Verdict? {
        // Functions of constants are not computed here; what they are part of stays one three-valued leaf.
        if expression.constant == nil, expression.isFixed { return leaf(expression) }
        switch expression.kind {
        case .literal(let literal):
            guard let truth = literal.truth else {
                notACondition(expression)
                return nil
            }
            return truth
        case .field(let field):
            return lowerBare(field)
        case .not(let operand):
            return lower(operand).map(!)
        case .and:
            return lowerAll(expression.conjuncts).map(Verdict.all)
        case .or:
            return lowerAll(expression.disjuncts).map(Verdict.any)
        case .comparison(let operation, let left, let right):
            return lowerComparison(operation, left, right, in: expression)
        case .membership(let subject, let items, let caseInsensitive, let negated):
            let verdict = lowerMembership(subject, items, caseInsensitive: caseInsensitive, in: expression)
            return negated ? verdict.map(!) : verdict
        case .pattern(let subject, let operation, let patterns):
            return lowerPatterns(subject, operation, patterns, in: expression)
        case .call(let call):
            return lower(call, in: expression)
        case .arithmetic, .negative:
            notACondition(expression)
            return nil
        }
    }

    /// All of them, so that the errors of every part are found.
    private mutating func lowerAll(_ parts: [Expression]) -> [Verdict]? {
        var verdicts: [Verdict] = []
        for part in parts {
            if let verdict = lower(part) { verdicts.append(verdict) }
        }
        return verdicts.count == parts.count ? verdicts : nil
    }

    mutating func notACondition(_ expression: Expression) {
        error("this is a value, where a condition is needed", at: expression.span, hint: "Compare it with something")
    }

    /// A field by itself means `field == true`.
    private mutating func lowerBare(_ field: FieldReference) -> Verdict? {
        let type = type(of: field)
        guard type == .boolean || type == .dynamic else {
            error(
                "`\(field.path)` is a \(type.name) field, where a condition is needed", at: field.span,
                hint: "Write `\(field.path) != null` to ask whether it has a value")
            return nil
        }
        var values = FieldTest.ValueSet()
        _ = values.insert(.boolean(true), as: type)
        return .test(FieldTest(field: field.path, type: type, test: .equals(values)))
    }

    func exists(_ path: FieldPath) -> Condition {
        .test(FieldTest(field: path, type: options.schema.type(of: path), test: .exists))
    }
}

extension ComparisonOperator {
    var isEquality: Bool { self == .equal || self == .notEqual }
}
