import EventSchema

// Leaves that are no test of one field. Inside them logic is three-valued.

extension Checker {
    /// A Boolean expression as one leaf.
    mutating func leaf(_ expression: Expression) -> Verdict? {
        truth(expression).map { .condition(.expression(ScalarTest(root: $0, text: expression.description))) }
    }

    mutating func scalar(_ expression: Expression) -> ScalarExpression? {
        if let constant = expression.constant { return .constant(constant) }
        switch expression.kind {
        case .literal(let literal):
            return .constant(literal)
        case .field(let field):
            return .field(ScalarExpression.Field(path: field.path, type: type(of: field)))
        case .negative(let inner):
            return number(inner).map { .arithmetic(.subtract, .constant(.integer(0)), $0) }
        case .arithmetic(let operation, let left, let right):
            let operands = (number(left), number(right))
            guard let left = operands.0, let right = operands.1 else { return nil }
            return .arithmetic(operation, left, right)
        case .call(let call):
            return scalar(call, at: expression.span)
        case .comparison, .not, .and, .or, .membership, .pattern:
            return truth(expression)
        }
    }

    private mutating func number(_ expression: Expression) -> ScalarExpression? {
        guard let value = scalar(expression) else { return nil }
        return expect(.number, value, for: "arithmetic", at: expression.span) ? value : nil
    }

    /// An expression that is true, false or null. A bare field means `field == true`.
    private mutating func truth(_ expression: Expression) -> ScalarExpression? {
        switch expression.kind {
        case .not(let inner):
            return truth(inner).map { .not($0) }
        case .and:
            return truths(expression.conjuncts).map { .all($0) }
        case .or:
            return truths(expression.disjuncts).map { .any($0) }
        case .comparison(let operation, let left, let right):
            return comparison(operation, left, right, at: expression.span)
        case .membership(let subject, let items, let folded, let negated):
            guard let member = membership(subject, items, folded: folded) else { return nil }
            return negated ? .not(member) : member
        case .pattern(let subject, let operation, let patterns):
            return pattern(subject, operation, patterns)
        case .field, .literal, .negative, .arithmetic, .call:
            guard let value = scalar(expression) else { return nil }
            switch (value, value.type) {
            case (.field, .boolean), (.field, .any):
                return .comparison(.equal, value, .constant(.boolean(true)), .plain)
            case (_, .boolean), (.constant(.null), _): return value
            default:
                notACondition(expression)
                return nil
            }
        }
    }

    private mutating func truths(_ parts: [Expression]) -> [ScalarExpression]? {
        var truths: [ScalarExpression] = []
        for part in parts {
            if let truth = truth(part) { truths.append(truth) }
        }
        return truths.count == parts.count ? truths : nil
    }

    // MARK: Comparisons

    private mutating func comparison(
        _ operation: ComparisonOperator, _ left: Expression, _ right: Expression, at span: Span
    ) -> ScalarExpression? {
        if case .field = left.kind, case .field = right.kind {
            refuseTwoFields(at: span)
            return nil
        }
        let operands = (scalar(left), scalar(right))
        guard let one = operands.0, let other = operands.1 else { return nil }
        if operation.isEquality {
            if other == .constant(.null) { return negated(.isNull(one), operation == .notEqual) }
            if one == .constant(.null) { return negated(.isNull(other), operation == .notEqual) }
        }
        guard areComparable(operation, one, other, at: span) else { return nil }
        guard operation.isEquality else { return .comparison(operation, one, other, order(one, other)) }
        return negated(equality(one, other), operation == .notEqual)
    }

    private func negated(_ expression: ScalarExpression, _ negated: Bool) -> ScalarExpression {
        negated ? .not(expression) : expression
    }

    private func equality(_ one: ScalarExpression, _ other: ScalarExpression) -> ScalarExpression {
        switch (one, other) {
        case (_, .constant(.string(let text))) where one.type == .address:
            if let block = IPBlock(parsing: text) { return .within(one, [block]) }
        case (.constant(.string(let text)), _) where other.type == .address:
            if let block = IPBlock(parsing: text) { return .within(other, [block]) }
        default: break
        }
        let order = order(one, other)
        // Versions that rank alike are still two spellings, and equality goes by the spelling.
        return .comparison(.equal, one, other, order == .version ? .plain : order)
    }

    private func order(_ one: ScalarExpression, _ other: ScalarExpression) -> ScalarExpression.Order {
        let types = [one.type, other.type]
        if types.contains(.time) { return .time }
        if types.contains(.address) { return .address }
        return types.contains(.version) ? .version : .plain
    }

    private mutating func areComparable(
        _ operation: ComparisonOperator, _ one: ScalarExpression, _ other: ScalarExpression, at span: Span
    ) -> Bool {
        let (first, second) = (one.type, other.type)
        guard operation.isEquality else {
            if first == .boolean || second == .boolean {
                error("true and false have no order", at: span)
                return false
            }
            let isMixed = first == .number && second.isText || first.isText && second == .number
            if isMixed { error("these values have no order: one is text and the other a number", at: span) }
            return !isMixed
        }
        for (truth, value) in [(one, other), (other, one)] where truth.type == .boolean {
            if case .field = truth { continue }
            guard value.type.suits(.boolean) else {
                error("a condition can only be compared with true, false or null", at: span)
                return false
            }
        }
        return true
    }

    mutating func refuseTwoFields(at span: Span) {
        error(
            "two fields cannot be compared, as in Elasticsearch", at: span,
            hint: "Compare each field with a constant, or join events by the fields")
    }

    // MARK: Lists and patterns

    private mutating func membership(
        _ subject: Expression, _ items: [Expression], folded: Bool
    ) -> ScalarExpression? {
        let value = scalar(subject)
        guard let literals = literals(of: items), let value else { return nil }
        if value.type == .address || value.type == .time, !folded {
            return .any(literals.map { equality(value, .constant($0.0)) })
        }
        return .membership(value, literals.map(\.0), folded: folded)
    }

    private mutating func pattern(
        _ subject: Expression, _ operation: PatternOperator, _ patterns: [Expression]
    ) -> ScalarExpression? {
        guard let value = scalar(subject) else { return nil }
        if operation != .colon || patterns.contains(where: { if case .string? = $0.constant { true } else { false } }) {
            guard expect(.text, value, for: "`\(operation.rawValue)`", at: subject.span) else { return nil }
        }
        let isField = if case .field = subject.kind { true } else { false }
        var texts: [StringPattern] = []
        var others: [Literal] = []
        for pattern in patterns {
            guard let literal = pattern.constant, literal != .null else {
                error("`\(operation.rawValue)` needs a constant", at: pattern.span)
                return nil
            }
            guard case .string(let text) = literal else {
                guard operation == .colon else {
                    error("`\(operation.rawValue)` needs a string", at: pattern.span)
                    return nil
                }
                warnOfColon(before: pattern)
                others.append(literal)
                continue
            }
            guard let read = read(text, operation, at: pattern, isField: isField) else { return nil }
            texts.append(
                StringPattern(
                    expression: read.language.expression, source: text, origin: read.origin, span: pattern.span))
        }
        if others.isEmpty { return .pattern(value, texts) }
        let equal = ScalarExpression.membership(value, others, folded: false)
        return texts.isEmpty ? equal : .any([.pattern(value, texts), equal])
    }
}

extension Expression {
    /// Whether its value is the same for every event although it is no ``constant``: it calls functions, or asks
    /// patterns, of constants alone.
    var isFixed: Bool {
        switch kind {
        case .literal: true
        case .field: false
        case .negative(let inner), .not(let inner): inner.isFixed
        case .arithmetic(_, let left, let right), .comparison(_, let left, let right): left.isFixed && right.isFixed
        case .and: conjuncts.allSatisfy(\.isFixed)
        case .or: disjuncts.allSatisfy(\.isFixed)
        case .membership(let subject, _, _, _), .pattern(let subject, _, _): subject.isFixed
        case .call(let call): call.arguments.allSatisfy(\.isFixed)
        }
    }
}
