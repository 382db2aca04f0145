// Loosest first: or, and, not, one comparison, + -, * / %, sign, then the predicates behind a value
// (`:`, like, regex, in, not in), then calls and parentheses.

extension Parser {
    mutating func parseExpression() throws(Abandoned) -> Expression {
        try nested { parser throws(Abandoned) in try parser.parseOr() }
    }

    /// A chain of operators of one kind, parentheses in it or not, is read in a loop and joined as a balanced
    /// tree: a list of five thousand names is five thousand `or`s, and neither parsing nor anything that walks
    /// the tree may need a stack as deep as that.
    private mutating func parseOr() throws(Abandoned) -> Expression {
        var parts = [try parseAnd()]
        while take(.or) { parts.append(try parseAnd()) }
        guard parts.count > 1 else { return parts[0] }
        return Self.balanced(parts.flatMap(\.disjuncts)[...]) { .or($0, $1) }
    }

    private mutating func parseAnd() throws(Abandoned) -> Expression {
        var parts = [parseOperand()]
        while take(.and) { parts.append(parseOperand()) }
        guard parts.count > 1 else { return parts[0] }
        return Self.balanced(parts.flatMap(\.conjuncts)[...]) { .and($0, $1) }
    }

    /// An operand of `and` or `or`. After an error in it, or behind it, all up to its end is skipped.
    private mutating func parseOperand() -> Expression {
        let start = token.span.lower
        let open = openParentheses
        do throws(Abandoned) {
            let operand = try parseNot()
            if !isOperandEnd(open: open) { throw unexpected() }
            return operand
        } catch {
            skip { $0.isOperandEnd(open: open) }
            return Expression(.literal(.null), at: span(from: start))
        }
    }

    /// Whether the current token ends an operand that began with `open` parentheses around it.
    private func isOperandEnd(open: Int) -> Bool {
        switch token.kind {
        case .keyword(.and), .keyword(.or): openParentheses <= open
        case .symbol(.rightParenthesis), .symbol(.comma): openParentheses <= open && open > 0
        case .symbol(.rightBracket), .symbol(.missing), .symbol(.pipe), .end: true
        default: false
        }
    }

    static func balanced(
        _ parts: ArraySlice<Expression>, _ join: (Expression, Expression) -> Expression.Kind
    ) -> Expression {
        guard parts.count > 1 else { return parts[parts.startIndex] }
        let middle = parts.startIndex + (parts.count + 1) / 2
        let left = balanced(parts[..<middle], join)
        let right = balanced(parts[middle...], join)
        return Expression(join(left, right), at: left.span.union(right.span))
    }

    private mutating func parseNot() throws(Abandoned) -> Expression {
        let start = token.span.lower
        guard take(.not) else { return try parseComparison() }
        let inner = try nested { parser throws(Abandoned) in try parser.parseNot() }
        return Expression(.not(inner), at: span(from: start))
    }

    private mutating func parseComparison() throws(Abandoned) -> Expression {
        let left = try parseSum()
        guard let comparison = takeComparison() else { return left }
        let right = try parseSum()
        return Expression(.comparison(comparison, left, right), at: left.span.union(right.span))
    }

    /// A comparison operator; `=` is an error and read as `==`.
    private mutating func takeComparison() -> ComparisonOperator? {
        guard case .symbol(let symbol) = token.kind else { return nil }
        if symbol == .assign {
            report(
                "'=' does not compare", at: token.span, hint: "use == to compare, or : to ignore case and use wildcards"
            )
            advance()
            return .equal
        }
        guard let comparison = ComparisonOperator(rawValue: symbol.rawValue) else { return nil }
        advance()
        return comparison
    }

    private mutating func parseSum() throws(Abandoned) -> Expression {
        try parseArithmetic([.plus, .minus]) { parser throws(Abandoned) in try parser.parseProduct() }
    }

    private mutating func parseProduct() throws(Abandoned) -> Expression {
        try parseArithmetic([.star, .slash, .percent]) { parser throws(Abandoned) in try parser.parseSign() }
    }

    /// Left-associative, so the tree is as deep as the chain is long, and the length is limited.
    private mutating func parseArithmetic(
        _ symbols: Set<Symbol>, _ operand: (inout Parser) throws(Abandoned) -> Expression
    ) throws(Abandoned) -> Expression {
        var left = try operand(&self)
        while case .symbol(let symbol) = token.kind, symbols.contains(symbol),
            let arithmetic = ArithmeticOperator(rawValue: symbol.rawValue)
        {
            arithmeticOperators += 1
            if arithmeticOperators > Self.maximumArithmetic {
                throw giveUp(
                    "the query calculates too much",
                    hint: "at most \(Self.maximumArithmetic) arithmetic operators are read")
            }
            advance()
            let right = try operand(&self)
            left = Expression(.arithmetic(arithmetic, left, right), at: left.span.union(right.span))
        }
        return left
    }

    private mutating func parseSign() throws(Abandoned) -> Expression {
        let start = token.span.lower
        if take(.plus) { return try nested { parser throws(Abandoned) in try parser.parseSign() } }
        guard take(.minus) else { return try parsePredicate() }
        let inner = try nested { parser throws(Abandoned) in try parser.parseSign() }
        let kind: Expression.Kind =
            switch inner.kind {
            case .literal(.integer(let value)) where value != .min: .literal(.integer(-value))
            case .literal(.double(let value)):
                // The smallest integer has one more below zero than the largest has above it.
                .literal(Int64("-\(source[inner.span])").map(Literal.integer) ?? .double(-value))
            default: .negative(inner)
            }
        return Expression(kind, at: span(from: start))
    }

    // MARK: Predicates behind a value

    private mutating func parsePredicate() throws(Abandoned) -> Expression {
        let subject = try parsePrimary()
        switch token.kind {
        case .symbol(.colon):
            advance()
            return try parsePatterns(subject, .colon)
        case .keyword(.like):
            advance()
            return try parsePatterns(subject, takeTilde() ? .likeInsensitive : .like)
        case .keyword(.regex):
            advance()
            return try parsePatterns(subject, takeTilde() ? .regexInsensitive : .regex)
        case .keyword(.in):
            return try parseMembership(subject, negated: false)
        case .keyword(.not):
            switch token(ahead: 1).kind {
            case .keyword(.in):
                advance()
                return try parseMembership(subject, negated: true)
            case .keyword(.like), .keyword(.regex), .symbol(.colon):
                throw fail(
                    "'not' stands before a value here",
                    hint: "write: not \(source[subject.span]) \(source[token(ahead: 1).span]) …")
            default: return subject
            }
        default: return subject
        }
    }

    /// A tilde that belongs to the word before it.
    private mutating func takeTilde() -> Bool {
        guard at(.tilde), token.isAdjacent else { return false }
        advance()
        return true
    }

    private mutating func parsePatterns(
        _ subject: Expression, _ operation: PatternOperator
    ) throws(Abandoned) -> Expression {
        var patterns: [Expression] = []
        let start = token.span
        if take(.leftParenthesis) {
            repeat { patterns.append(try parsePattern(operation)) } while take(.comma)
            try close(start)
        } else {
            patterns.append(try parsePattern(operation))
        }
        return Expression(.pattern(subject, operation, patterns), at: span(from: subject.span.lower))
    }

    /// A string; behind `:` a number, `true` or `false` as well, which mean what they mean behind `==`.
    private mutating func parsePattern(_ operation: PatternOperator) throws(Abandoned) -> Expression {
        let start = token.span.lower
        if case .string(let text) = token.kind {
            advance()
            return Expression(.literal(.string(text)), at: span(from: start))
        }
        if operation == .colon, let literal = takeScalar() {
            return Expression(.literal(literal), at: span(from: start))
        }
        throw expected(
            "a string",
            hint: "the right side of \(operation.rawValue) is a string or a list of strings: (\"a*\", \"b*\")")
    }

    /// A number with a sign perhaps, `true` or `false`.
    private mutating func takeScalar() -> Literal? {
        switch (token.kind, token(ahead: 1).kind) {
        case (.integer, _), (.double, _), (.keyword(.true), _), (.keyword(.false), _):
            return takeLiteral()
        case (.symbol(.minus), .integer(let value)):
            advance()
            advance()
            return .integer(-value)
        case (.symbol(.minus), .double(let value)):
            advance()
            advance()
            return .double(-value)
        default: return nil
        }
    }

    private mutating func parseMembership(_ subject: Expression, negated: Bool) throws(Abandoned) -> Expression {
        try expect(.in)
        let caseInsensitive = takeTilde()
        let start = token.span
        guard take(.leftParenthesis) else {
            throw expected("'(' and a list", hint: "for example: in (\"a\", \"b\")")
        }
        var values: [Expression] = []
        repeat { values.append(try parseExpression()) } while take(.comma)
        try close(start)
        return Expression(
            .membership(subject, values, caseInsensitive: caseInsensitive, negated: negated),
            at: span(from: subject.span.lower))
    }

    // MARK: Values

    private mutating func parsePrimary() throws(Abandoned) -> Expression {
        let start = token.span
        if let literal = takeLiteral() { return Expression(.literal(literal), at: start) }
        if take(.leftParenthesis) {
            var inner = try parseExpression()
            try close(start)
            inner.span = span(from: start.lower)
            return inner
        }
        if case .name(let name) = token.kind {
            if isCall { return try parseCall(name) }
            if token(ahead: 1).kind == .keyword(.of) { throw refuseRelation() }
        }
        if let field = try parseField() { return Expression(.field(field), at: field.span) }
        throw expected("a field, a value or '('")
    }

    private mutating func takeLiteral() -> Literal? {
        let literal: Literal
        switch token.kind {
        case .integer(let value): literal = .integer(value)
        case .double(let value): literal = .double(value)
        case .string(let value): literal = .string(value)
        case .keyword(.true): literal = .boolean(true)
        case .keyword(.false): literal = .boolean(false)
        case .keyword(.null): literal = .null
        default: return nil
        }
        advance()
        return literal
    }

    /// Takes the `)` of the `(` at `opening`.
    private mutating func close(_ opening: Span) throws(Abandoned) {
        if take(.rightParenthesis) { return }
        if at(.comma) {
            throw expected("')'", hint: "lists stand only behind in, :, like and regex, and in calls")
        }
        switch token.kind {
        case .end, .symbol(.pipe), .symbol(.rightBracket), .symbol(.missing):
            throw fail("this '(' is never closed", at: opening, hint: "close it with )")
        default: throw expected("',' or ')'")
        }
    }

    /// Whether the current name is followed by `(` or `~(`.
    private var isCall: Bool {
        let isFolded = token(ahead: 1).kind == .symbol(.tilde) && token(ahead: 1).isAdjacent
        return token(ahead: isFolded ? 2 : 1).kind == .symbol(.leftParenthesis)
    }

    private mutating func parseCall(_ name: String) throws(Abandoned) -> Expression {
        let nameSpan = token.span
        advance()
        let caseInsensitive = takeTilde()
        let opening = token.span
        try expect(.leftParenthesis)
        var arguments: [Expression] = []
        if !at(.rightParenthesis) {
            repeat { arguments.append(try parseExpression()) } while take(.comma)
        }
        try close(opening)
        let call = Expression.Call(
            name: name, caseInsensitive: caseInsensitive, arguments: arguments, nameSpan: nameSpan)
        return Expression(.call(call), at: span(from: nameSpan.lower))
    }
}
