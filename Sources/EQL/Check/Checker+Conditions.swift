import EventSchema

extension Checker {
    /// A Boolean expression. Leaves are two-valued: over a missing field they are false, `!=` is
    /// `not (… == …)`, and no negation is ever pushed into a leaf.
    mutating func lower(_ expression: Expression) -> Verdict? {
        switch expression.kind {
        case .literal(let literal):
            guard let truth = literal.truth else { return notACondition(expression) }
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
            return lowerComparison(operation, left, right, at: expression.span)
        case .membership(let subject, let items, let caseInsensitive, let negated):
            let verdict = lowerMembership(subject, items, caseInsensitive: caseInsensitive)
            return negated ? verdict.map(!) : verdict
        case .pattern(let subject, let operation, let patterns):
            return lowerPatterns(subject, operation, patterns)
        case .call(let call):
            return lower(call, at: expression.span)
        case .arithmetic, .negative:
            return notACondition(expression)
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

    private mutating func notACondition(_ expression: Expression) -> Verdict? {
        error("this is a value, where a condition is needed", at: expression.span, hint: "Compare it with something")
        return nil
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

// MARK: - Nullness

extension Checker {
    /// Whether a Boolean expression is null by the three-valued logic that `E == null` still sees: a leaf
    /// is null where its field is missing. The expression has been lowered without errors.
    func nullness(of expression: Expression) -> Condition {
        if let constant = expression.constant { return .constant(constant == .null) }
        switch expression.kind {
        case .field(let field):
            return .not(exists(field.path))
        case .not(let operand), .negative(let operand):
            return nullness(of: operand)
        case .membership(let subject, _, _, _), .pattern(let subject, _, _):
            return nullness(of: subject)
        case .call(let call):
            return .any(call.arguments.map { nullness(of: $0) })
        case .comparison(let operation, let left, let right):
            // A comparison with the constant null is an is-null test, which is never null itself.
            if operation.isEquality, left.constant == .null || right.constant == .null { return .constant(false) }
            return .any([nullness(of: left), nullness(of: right)])
        case .and:
            return nullness(of: expression.conjuncts, unlessSome: { .all([.not($0), .not($1)]) })
        case .or:
            return nullness(of: expression.disjuncts, unlessSome: { truth, _ in truth })
        case .literal, .arithmetic:
            return .constant(false)
        }
    }

    /// Some part is null and none decides; `deciding` makes the condition that one part decides out of its
    /// truth and its nullness.
    private func nullness(
        of parts: [Expression], unlessSome deciding: (Condition, Condition) -> Condition
    ) -> Condition {
        let nulls = parts.map { nullness(of: $0) }
        let decided = zip(parts, nulls).map { part, null in
            var silent = self
            return deciding(silent.lower(part)?.condition ?? .constant(false), null)
        }
        return .all([.any(nulls), .not(.any(decided))])
    }
}

extension ComparisonOperator {
    var isEquality: Bool { self == .equal || self == .notEqual }
}
