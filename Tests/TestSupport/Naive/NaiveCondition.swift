import EQL
import EventSchema

/// Whether one event satisfies a condition, straight from the syntax tree.
///
/// Outside leaves logic is two-valued; inside a leaf it is three-valued (nil and ``NaiveValue/null`` are
/// "unknown"), and unknown at the leaf's root is false. A leaf holds when some choice of one value per
/// field makes it true.
struct NaiveCondition {
    let event: NaiveEvent
    let category: FieldPath
    let regex: NaiveRegexMode

    func holds(_ query: EventQuery) -> Bool {
        if case .named(let name, _) = query.category {
            guard event.values(category).contains(where: { $0.canonicalText == Array(name.unicodeScalars) }) else {
                return false
            }
        }
        return holds(query.condition)
    }

    func holds(_ expression: Expression) -> Bool {
        if fields(of: expression).isEmpty { return value(of: expression, [:]) == .boolean(true) }
        switch expression.kind {
        case .and(let left, let right):
            return holds(left) && holds(right)
        case .or(let left, let right):
            return holds(left) || holds(right)
        case .not(let inner):
            return !holds(inner)
        case .comparison(.notEqual, let left, let right) where !isNull(left) && !isNull(right):
            return !holds(Expression(.comparison(.equal, left, right), at: expression.span))
        case .membership(let subject, let list, let caseInsensitive, negated: true):
            let positive = Expression.Kind.membership(
                subject, list, caseInsensitive: caseInsensitive, negated: false)
            return !holds(Expression(positive, at: expression.span))
        case .comparison(.equal, let left, let right) where areAbsentOptionals(left, right):
            return true
        default:
            return leafHolds(expression)
        }
    }

    private func leafHolds(_ expression: Expression) -> Bool {
        var choices: [[FieldPath: NaiveValue]] = [[:]]
        for path in Set(fields(of: expression).map(\.path)) {
            let values = event.values(path)
            choices = choices.flatMap { choice in
                (values.isEmpty ? [.null] : values).map { choice.merging([path: $0]) { _, new in new } }
            }
        }
        return choices.contains { choice in
            let result = value(of: expression, choice)
            // A bare field means `field == true`, which the string "true" fulfils.
            if case .field = expression.kind { return NaiveComparison.equal(result, .boolean(true)) == true }
            return result == .boolean(true)
        }
    }

    private func areAbsentOptionals(_ left: Expression, _ right: Expression) -> Bool {
        guard case .field(let one) = left.kind, case .field(let other) = right.kind, one.isOptional, other.isOptional
        else { return false }
        return event.values(one.path).isEmpty && event.values(other.path).isEmpty
    }

    private func isNull(_ expression: Expression) -> Bool {
        expression.kind == .literal(.null)
    }

    private func fields(of expression: Expression) -> [FieldReference] {
        switch expression.kind {
        case .literal: []
        case .field(let field): [field]
        case .negative(let inner), .not(let inner): fields(of: inner)
        case .arithmetic(_, let left, let right), .comparison(_, let left, let right), .and(let left, let right),
            .or(let left, let right):
            fields(of: left) + fields(of: right)
        case .membership(let subject, let list, _, _): ([subject] + list).flatMap(fields)
        case .pattern(let subject, _, _): fields(of: subject)
        case .call(let call): call.arguments.flatMap(fields)
        }
    }

    // MARK: Three-valued evaluation

    func value(of expression: Expression, _ choice: [FieldPath: NaiveValue]) -> NaiveValue {
        switch expression.kind {
        case .literal(.null): return .null
        case .literal(.boolean(let value)): return .boolean(value)
        case .literal(.integer(let value)): return .integer(value)
        case .literal(.double(let value)): return .double(value)
        case .literal(.string(let value)): return .text(value)
        case .field(let field):
            return choice[field.path] ?? .null
        case .negative(let inner):
            return NaiveFunctions.arithmetic(.subtract, .integer(0), value(of: inner, choice))
        case .arithmetic(let operation, let left, let right):
            return NaiveFunctions.arithmetic(operation, value(of: left, choice), value(of: right, choice))
        case .comparison(let operation, let left, let right):
            return comparison(operation, left, right, choice)
        case .not(let inner):
            return boolean(truth(of: inner, choice).map { !$0 })
        case .and(let left, let right):
            let (left, right) = (truth(of: left, choice), truth(of: right, choice))
            if left == false || right == false { return .boolean(false) }
            return left == nil || right == nil ? .null : .boolean(true)
        case .or(let left, let right):
            let (left, right) = (truth(of: left, choice), truth(of: right, choice))
            if left == true || right == true { return .boolean(true) }
            return left == nil || right == nil ? .null : .boolean(false)
        case .membership(let subject, let list, let caseInsensitive, let negated):
            let subject = value(of: subject, choice)
            if subject.isNull { return .null }
            let isMember = list.contains { element in
                let element = value(of: element, choice)
                if caseInsensitive, !element.isNull {
                    return NaiveCase.foldedASCII(subject.canonicalText) == NaiveCase.foldedASCII(element.canonicalText)
                }
                return NaiveComparison.equal(subject, element) == true
            }
            return .boolean(isMember != negated)
        case .pattern(let subject, let operation, let patterns):
            return pattern(subject, operation, patterns, choice)
        case .call(let call):
            return NaiveFunctions.call(call) { value(of: $0, choice) }
        }
    }

    private func truth(of expression: Expression, _ choice: [FieldPath: NaiveValue]) -> Bool? {
        let result = value(of: expression, choice)
        return result.isNull ? nil : NaiveComparison.equal(result, .boolean(true))
    }

    private func boolean(_ value: Bool?) -> NaiveValue {
        value.map(NaiveValue.boolean) ?? .null
    }

    private func comparison(
        _ operation: ComparisonOperator, _ left: Expression, _ right: Expression, _ choice: [FieldPath: NaiveValue]
    ) -> NaiveValue {
        let (one, other) = (value(of: left, choice), value(of: right, choice))
        if isNull(left) || isNull(right), operation == .equal || operation == .notEqual {
            let areNull = one.isNull && other.isNull
            return .boolean(operation == .equal ? areNull : !areNull)
        }
        switch operation {
        case .equal: return boolean(NaiveComparison.equal(one, other))
        case .notEqual: return boolean(NaiveComparison.equal(one, other).map { !$0 })
        case .less: return boolean(NaiveComparison.holds(<, one, other))
        case .lessOrEqual: return boolean(NaiveComparison.holds(<=, one, other))
        case .greater: return boolean(NaiveComparison.holds(>, one, other))
        case .greaterOrEqual: return boolean(NaiveComparison.holds(>=, one, other))
        }
    }

    private func pattern(
        _ subject: Expression, _ operation: PatternOperator, _ patterns: [Expression],
        _ choice: [FieldPath: NaiveValue]
    ) -> NaiveValue {
        let value = value(of: subject, choice)
        if value.isNull { return .null }
        let text = value.canonicalText
        let isField = if case .field = subject.kind { true } else { false }
        let fold: ([Unicode.Scalar]) -> [Unicode.Scalar] = NaiveCase.foldedASCII
        let regex = isField ? regex : regex.ofResults
        return .boolean(
            patterns.contains { expression in
                let constant = self.value(of: expression, choice)
                guard case .text = constant else { return NaiveComparison.equal(value, constant) == true }
                let pattern = constant.canonicalText
                return switch operation {
                case .like: NaiveWildcard.matches(pattern, text)
                case .colon, .likeInsensitive: NaiveWildcard.matches(fold(pattern), fold(text))
                case .regex: regex.matches(pattern, text, caseInsensitive: false)
                case .regexInsensitive: regex.matches(pattern, text, caseInsensitive: true)
                }
            })
    }
}
