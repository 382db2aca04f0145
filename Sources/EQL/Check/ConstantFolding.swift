// The value of expressions without fields. Logic is three-valued and null spreads; 64-bit arithmetic that
// overflows or divides by zero gives null where Elasticsearch refuses the query.

import EventSchema

extension Expression {
    /// Nil when the expression reads a field, calls a function or mixes types.
    var constant: Literal? {
        switch kind {
        case .literal(let literal): return literal
        case .field, .pattern, .call: return nil
        case .negative(let operand): return operand.constant.flatMap { Literal.arithmetic(.subtract, .integer(0), $0) }
        case .arithmetic(let operation, let left, let right):
            guard let left = left.constant, let right = right.constant else { return nil }
            return Literal.arithmetic(operation, left, right)
        case .comparison(let operation, let left, let right):
            guard let left = left.constant, let right = right.constant,
                let result = Literal.compare(operation, left, right)
            else { return nil }
            return Literal(truth: result)
        case .not(let operand):
            guard let truth = operand.constant?.truth else { return nil }
            return Literal(truth: !truth)
        case .and(let left, let right):
            guard let right = right.constant?.truth, let left = left.constant?.truth else { return nil }
            return Literal(truth: .all([left, right]))
        case .or(let left, let right):
            guard let right = right.constant?.truth, let left = left.constant?.truth else { return nil }
            return Literal(truth: .any([left, right]))
        case .membership(let subject, let items, let caseInsensitive, let negated):
            guard let subject = subject.constant else { return nil }
            let items = items.compactMap(\.constant).filter { $0 != .null }
            guard subject != .null else { return .null }
            let found = items.contains { Literal.areEqual(subject, $0, folded: caseInsensitive) }
            return .boolean(found != negated)
        }
    }
}

extension Literal {
    init?(truth: Verdict) {
        guard case .constant(let value) = truth else { return nil }
        self = value.map(Literal.boolean) ?? .null
    }

    /// Nil for what is no truth value.
    var truth: Verdict? {
        switch self {
        case .null: .constant(nil)
        case .boolean(let value): .constant(value)
        case .integer, .double, .string: nil
        }
    }

    /// As JSON and Elasticsearch spell the value.
    var text: String {
        switch self {
        case .null: "null"
        case .boolean(let value): String(value)
        case .integer(let value): String(value)
        case .double(let value): String(value)
        case .string(let value): value
        }
    }

    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        case .null, .boolean, .string: nil
        }
    }

    /// Nil when an operand is neither a number nor null.
    static func arithmetic(_ operation: ArithmeticOperator, _ left: Literal, _ right: Literal) -> Literal? {
        switch (left, right) {
        case (.null, _), (_, .null):
            return .null
        case (.integer(let left), .integer(let right)):
            return operation.result(left, right).map(Literal.integer) ?? .null
        default:
            guard let left = left.number, let right = right.number else { return nil }
            return .double(operation.result(left, right))
        }
    }

    /// `==` and `!=` are never null, as `E == null` asks for null; an order against null is null.
    /// Nil when the types have no order.
    static func compare(_ operation: ComparisonOperator, _ left: Literal, _ right: Literal) -> Verdict? {
        switch operation {
        case .equal: return .constant(areEqual(left, right, folded: false))
        case .notEqual: return .constant(!areEqual(left, right, folded: false))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            if left == .null || right == .null { return .constant(nil) }
            if case .integer(let left) = left, case .integer(let right) = right {
                return .constant(operation.holds(left, right))
            }
            if let left = left.number, let right = right.number { return .constant(operation.holds(left, right)) }
            guard case .string(let left) = left, case .string(let right) = right else { return nil }
            // UTF-8 bytes are in code-point order; `String`'s own order is another one.
            let order =
                left.utf8.elementsEqual(right.utf8) ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
            return .constant(operation.holds(order, 0))
        }
    }

    /// Numbers by value; a string equals a number or Boolean that is spelled so.
    static func areEqual(_ left: Literal, _ right: Literal, folded: Bool) -> Bool {
        if case .integer(let left) = left, case .integer(let right) = right { return left == right }
        if let left = left.number, let right = right.number { return left == right }
        if left == .null || right == .null { return left == right }
        return folded
            ? ASCII.lowercased(left.text).utf8.elementsEqual(ASCII.lowercased(right.text).utf8)
            : left.text.utf8.elementsEqual(right.text.utf8)
    }
}

extension ComparisonOperator {
    /// The operator that says the same with its sides exchanged.
    var flipped: ComparisonOperator {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }

    @inlinable
    public func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }
}
