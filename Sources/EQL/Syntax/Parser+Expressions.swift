// Loosest first: or, and, not, one comparison, + -, * / %, sign, then the predicates behind a value
// (`:`, like, regex, in, not in), then calls and parentheses.

extension Parser {
    mutating func parseExpression() throws(Abandoned) -> Expression {
        try nested { parser throws(Abandoned) in try parser.parseOr() }
    }

    /// A chain of operators of one kind is read in a loop and joined as a balanced tree: a list of five thousand
    /// names is five thousand `or`s, and neither parsing nor anything that walks the tree may need a stack
    /// as deep as that.
    private mutating func parseOr() throws(Abandoned) -> Expression {
        var parts = [try parseAnd()]
        while take(.or) { parts.append(try parseAnd()) }
        return Self.balanced(parts[...]) { .or($0, $1) }
    }

    private mutating func parseAnd() throws(Abandoned) -> Expression {
        var parts = [try parseNot()]
        while take(.and) { parts.append(try parseNot()) }
        return Self.balanced(parts[...]) { .and($0, $1) }
    }

    private static func balanced(
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
        let whole = Expression(.comparison(comparison, left, right), at: left.span.union(right.span))
        let place = token
        if takeComparison() != nil {
            throw fail(
                "comparisons do not chain", at: place.span, hint: "join two comparisons with 'and'")
        }
        return whole
    }

    private mutating func takeComparison() -> ComparisonOperator? {
        guard case .symbol(let symbol) = token.kind, let comparison = ComparisonOperator(rawValue: symbol.rawValue)
        else { return nil }
        advance()
        return comparison
    }

    private mutating func parseSum() throws(Abandoned) -> Expression {
        try parseArithmetic([.plus, .minus]) { parser throws(Abandoned) in try parser.parseProduct() }
    }

    private mutating func parseProduct() throws(Abandoned) -> Expression {
        try parseArithmetic([.star, .slash, .percent]) { parser throws(Abandoned) in try parser.parseSign() }
    }

    /// Left-associative; a chain as deep as the nesting limit is refused, since its tree is that deep.
    private mutating func parseArithmetic(
        _ symbols: Set<Symbol>, _ operand: (inout Parser) throws(Abandoned) -> Expression
    ) throws(Abandoned) -> Expression {
        var left = try operand(&self)
        var length = 0
        while case .symbol(let symbol) = token.kind, symbols.contains(symbol),
            let arithmetic = ArithmeticOperator(rawValue: symbol.rawValue)
        {
            length += 1
            if length > Self.maximumDepth { throw fail("this calculation has too many parts") }
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
        let whole = span(from: start)
        switch inner.kind {
        case .literal(.integer(let value)): return Expression(.literal(.integer(-value)), at: whole)
        // One more below zero than above it.
        case .literal(.double(9_223_372_036_854_775_808)) where !source[inner.span].contains("."):
            return Expression(.literal(.integer(.min)), at: whole)
        case .literal(.double(let value)): return Expression(.literal(.double(-value)), at: whole)
        default: return Expression(.negative(inner), at: whole)
        }
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
        case .keyword(.not) where next.kind == .keyword(.in):
            advance()
            return try parseMembership(subject, negated: true)
        case .symbol(.assign):
            throw fail("'=' does not compare", hint: "compare with ==, or with : to ignore case and use wildcards")
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
        _ subject: Expression, _ patternOperator: PatternOperator
    ) throws(Abandoned) -> Expression {
        var patterns: [Expression] = []
        if take(.leftParenthesis) {
            repeat { patterns.append(try parseConstant()) } while take(.comma)
            try expect(.rightParenthesis)
        } else {
            patterns.append(try parseConstant())
        }
        return Expression(.pattern(subject, patternOperator, patterns), at: span(from: subject.span.lower))
    }

    private mutating func parseMembership(_ subject: Expression, negated: Bool) throws(Abandoned) -> Expression {
        try expect(.in)
        let caseInsensitive = takeTilde()
        guard take(.leftParenthesis) else {
            throw expected("'(' and a list", hint: "for example: in (\"a\", \"b\")")
        }
        var values: [Expression] = []
        repeat { values.append(try parseExpression()) } while take(.comma)
        try expect(.rightParenthesis)
        return Expression(
            .membership(subject, values, caseInsensitive: caseInsensitive, negated: negated),
            at: span(from: subject.span.lower))
    }

    /// A literal, perhaps with a sign.
    private mutating func parseConstant() throws(Abandoned) -> Expression {
        let start = token.span.lower
        let isNegative = take(.minus)
        guard let literal = takeLiteral(negative: isNegative) else {
            throw expected("a constant", hint: "the right side of : like and regex is a string or a list of strings")
        }
        return Expression(.literal(literal), at: span(from: start))
    }

    private mutating func takeLiteral(negative: Bool = false) -> Literal? {
        let literal: Literal
        switch token.kind {
        case .integer(let value): literal = .integer(negative ? -value : value)
        case .double(let value): literal = .double(negative ? -value : value)
        case .string(let value) where !negative: literal = .string(value)
        case .keyword(.true) where !negative: literal = .boolean(true)
        case .keyword(.false) where !negative: literal = .boolean(false)
        case .keyword(.null) where !negative: literal = .null
        default: return nil
        }
        advance()
        return literal
    }

    // MARK: Values

    private mutating func parsePrimary() throws(Abandoned) -> Expression {
        let start = token.span.lower
        if let literal = takeLiteral() { return Expression(.literal(literal), at: span(from: start)) }
        if take(.leftParenthesis) {
            var inner = try parseExpression()
            try expect(.rightParenthesis)
            inner.span = span(from: start)
            return inner
        }
        if case .name(let name) = token.kind, isCall { return try parseCall(name) }
        if let field = try parseField() { return Expression(.field(field), at: field.span) }
        throw expected("a field, a value or '('")
    }

    /// Whether the current name is followed by `(` or `~(`.
    private var isCall: Bool {
        if next.kind == .symbol(.leftParenthesis) { return true }
        return next.kind == .symbol(.tilde) && next.isAdjacent
    }

    private mutating func parseCall(_ name: String) throws(Abandoned) -> Expression {
        let nameSpan = token.span
        advance()
        let caseInsensitive = takeTilde()
        try expect(.leftParenthesis)
        var arguments: [Expression] = []
        if !at(.rightParenthesis) {
            repeat { arguments.append(try parseExpression()) } while take(.comma)
        }
        try expect(.rightParenthesis)
        let call = Expression.Call(
            name: name, caseInsensitive: caseInsensitive, arguments: arguments, nameSpan: nameSpan)
        return Expression(.call(call), at: span(from: nameSpan.lower))
    }
}
