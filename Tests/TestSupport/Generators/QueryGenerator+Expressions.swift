import EQL
import EventSchema

/// Leaves that compute: functions, arithmetic, and three-valued logic under `== null`. Every one reads a field,
/// and none compares two fields as they are.
extension QueryGenerator {
    mutating func computedLeaf() -> Expression { truth(2) }

    private mutating func truth(_ depth: Int) -> Expression {
        switch random.below(depth > 0 ? 9 : 6) {
        case 0:
            let name = random.pick(["startsWith", "endsWith", "stringContains"])
            return call(name, [text(depth), random.oneIn(3) ? text(0) : constantText()], folded: random.oneIn(2))
        case 1, 2:
            return comparison(random.pick(orders), computedNumber(depth), numberOrConstant(depth))
        case 3:
            return comparison(random.pick(orders), computedText(depth), textOrConstant(depth))
        case 4:
            let isNumber = random.oneIn(2)
            let list = (0...random.below(3)).map { _ in isNumber ? constantNumber() : constantText() }
            return make(
                .membership(
                    isNumber ? computedNumber(depth) : computedText(depth), list, caseInsensitive: random.oneIn(3),
                    negated: random.oneIn(3)))
        case 5:
            let operation = random.pick([PatternOperator.colon, .like, .likeInsensitive, .regex, .regexInsensitive])
            let isRegex = operation == .regex || operation == .regexInsensitive
            let field = random.pick(pool.textFields)
            let patterns = (0...random.below(2)).map { _ in
                make(.literal(.string(isRegex ? random.pick(["[a-z]+", ".*e", "c.d\\.exe", "(ada|7)+?", ""]) : wildcard(field))))
            }
            return make(.pattern(computedText(depth), operation, patterns))
        case 6:
            return comparison(random.pick([.equal, .notEqual]), computedText(depth), make(.literal(.null)))
        case 7:
            return comparison(
                random.pick([.equal, .notEqual]), logic(depth - 1),
                make(.literal(random.pick([.null, .boolean(true), .boolean(false)]))))
        default:
            return logic(depth - 1)
        }
    }

    /// Three-valued where it stands inside a leaf.
    private mutating func logic(_ depth: Int) -> Expression {
        switch random.below(3) {
        case 0: make(.and(truth(depth), truth(depth)))
        case 1: make(.or(truth(depth), truth(depth)))
        default: make(.not(truth(depth)))
        }
    }

    private var orders: [ComparisonOperator] { [.equal, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual] }

    private mutating func comparison(
        _ operation: ComparisonOperator, _ left: Expression, _ right: Expression
    ) -> Expression {
        random.oneIn(4)
            ? make(.comparison(operation, right, left)) : make(.comparison(operation, left, right))
    }

    // MARK: Numbers

    private mutating func numberOrConstant(_ depth: Int) -> Expression {
        random.oneIn(2) ? constantNumber() : number(depth)
    }

    private mutating func constantNumber() -> Expression {
        make(.literal(random.pick([.integer(0), .integer(1), .integer(3), .integer(7), .integer(80), .double(2.5)])))
    }

    private mutating func number(_ depth: Int) -> Expression {
        guard depth > 0, !random.oneIn(3) else {
            let numbers = pool.fields.filter { $0.type == .long || $0.type == .float }
            return make(reference(random.pick(numbers)))
        }
        return computedNumber(depth)
    }

    /// Never a bare field.
    private mutating func computedNumber(_ depth: Int) -> Expression {
        let depth = depth - 1
        switch random.below(6) {
        case 0, 1: return call("length", [text(depth)])
        case 2:
            var arguments = [text(depth), random.oneIn(3) ? text(0) : constantText()]
            if random.oneIn(3) { arguments.append(constantNumber()) }
            return call("indexOf", arguments, folded: random.oneIn(2))
        case 3: return call("number", [text(depth)])
        case 4: return make(.negative(number(depth)))
        default:
            let operation = random.pick([ArithmeticOperator.add, .subtract, .multiply, .divide, .modulo])
            return make(.arithmetic(operation, number(depth), numberOrConstant(depth)))
        }
    }

    // MARK: Text

    private mutating func textOrConstant(_ depth: Int) -> Expression {
        random.oneIn(2) ? constantText() : text(depth)
    }

    private mutating func constantText() -> Expression {
        make(.literal(.string(random.pick(["", "c", "C", "exe", ".", "a", "É", "7", "cmd.exe", "true1"]))))
    }

    private mutating func text(_ depth: Int) -> Expression {
        guard depth > 0, !random.oneIn(3) else { return make(reference(random.pick(pool.textFields))) }
        return computedText(depth)
    }

    /// Never a bare field.
    private mutating func computedText(_ depth: Int) -> Expression {
        let depth = depth - 1
        switch random.below(5) {
        case 0, 1:
            return call("concat", [text(depth), random.oneIn(2) ? text(0) : constantNumber(), constantText()])
        case 2:
            let places = (0...random.below(2)).map { _ in make(.literal(.integer(Int64(random.below(9)) - 4))) }
            return call("substring", [text(depth)] + places)
        case 3:
            let last = random.oneIn(2) ? [make(.literal(.boolean(random.oneIn(2))))] : []
            return call("between", [text(depth), constantText(), constantText()] + last, folded: random.oneIn(2))
        default:
            return call("string", [number(depth)])
        }
    }

    private func call(_ name: String, _ arguments: [Expression], folded: Bool = false) -> Expression {
        make(
            .call(
                Expression.Call(
                    name: name, caseInsensitive: folded, arguments: arguments, nameSpan: Span(0, 0))))
    }
}
