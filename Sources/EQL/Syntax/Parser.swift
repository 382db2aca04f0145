import EventSchema

/// What came of parsing: a tree exactly when no diagnostic is an error.
public struct ParseResult: Hashable, Sendable {
    public var query: Query?
    /// In the order of their places; at most ``Parser/maximumDiagnostics``.
    public var diagnostics: [Diagnostic]
}

/// Parses the text of a query. Never fails in any other way than by diagnostics, whatever the text.
public func parse(_ source: SourceText) -> ParseResult {
    let (tokens, lexical) = Lexer.tokenize(source)
    var parser = Parser(source: source, tokens: tokens)
    let query = parser.parseQuery()
    let diagnostics = (lexical + parser.diagnostics).sorted { $0.span.lower < $1.span.lower }
    let isValid = diagnostics.isEmpty
    return ParseResult(
        query: isValid ? query : nil, diagnostics: Array(diagnostics.prefix(Parser.maximumDiagnostics)))
}

/// Recursive descent over the tokens, one function per rule of the grammar.
///
/// After an error the parser goes on behind the next place that is certain (the end of a term, of a list, of
/// the query), so that one mistake is one diagnostic and the next mistake is found too.
struct Parser {
    static let maximumDiagnostics = 20
    /// Parentheses and operators inside each other; beyond it the text is refused instead of the stack.
    static let maximumDepth = 200

    let source: SourceText
    private let tokens: [Token]
    private var index = 0
    private(set) var diagnostics: [Diagnostic] = []
    private var depth = 0

    /// Thrown after a diagnostic has been added; caught where parsing can go on.
    struct Abandoned: Error {}

    init(source: SourceText, tokens: [Token]) {
        self.source = source
        self.tokens = tokens
    }

    // MARK: Tokens

    var token: Token { tokens[index] }

    var next: Token { tokens[min(index + 1, tokens.count - 1)] }

    mutating func advance() {
        if index < tokens.count - 1 { index += 1 }
    }

    func at(_ symbol: Symbol) -> Bool { token.kind == .symbol(symbol) }

    func at(_ keyword: Keyword) -> Bool { token.kind == .keyword(keyword) }

    mutating func take(_ symbol: Symbol) -> Bool {
        guard at(symbol) else { return false }
        advance()
        return true
    }

    mutating func take(_ keyword: Keyword) -> Bool {
        guard at(keyword) else { return false }
        advance()
        return true
    }

    /// The end of the token before the current one.
    var lastEnd: Int { index > 0 ? tokens[index - 1].span.upper : 0 }

    func span(from start: Int) -> Span { Span(start, max(lastEnd, start)) }

    // MARK: Errors

    mutating func report(_ message: String, at span: Span, hint: String? = nil) {
        diagnostics.append(.error(message, at: span, hint: hint))
    }

    mutating func fail(_ message: String, at span: Span? = nil, hint: String? = nil) -> Abandoned {
        report(message, at: span ?? token.span, hint: hint)
        return Abandoned()
    }

    mutating func expected(_ what: String, hint: String? = nil) -> Abandoned {
        fail("expected \(what), found \(describe(token))", hint: hint ?? hintForFound())
    }

    func describe(_ token: Token) -> String {
        switch token.kind {
        case .end: "the end of the query"
        case .string: "a string"
        default: "'\(source[token.span])'"
        }
    }

    private func hintForFound() -> String? {
        switch token.kind {
        case .symbol(.assign): "'=' is only part of maxspan= and runs=; compare with =="
        case .name(let name) where name.lowercased() != name && Keyword(rawValue: name.lowercased()) != nil:
            "keywords are written in lower case: \(name.lowercased())"
        default: nil
        }
    }

    mutating func expect(_ symbol: Symbol) throws(Abandoned) {
        if !take(symbol) { throw expected("'\(symbol.rawValue)'") }
    }

    mutating func expect(_ keyword: Keyword) throws(Abandoned) {
        if !take(keyword) { throw expected("'\(keyword.rawValue)'") }
    }

    /// Runs `body` one level deeper.
    mutating func nested<Result>(_ body: (inout Parser) throws(Abandoned) -> Result) throws(Abandoned) -> Result {
        guard depth < Self.maximumDepth else {
            throw fail(
                "the query is nested too deeply", hint: "at most \(Self.maximumDepth) levels of parentheses are read")
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    /// Skips to the first of these symbols outside of any bracket opened on the way, or to the end.
    mutating func skip(to stops: Set<Symbol>) {
        var open = 0
        while token.kind != .end {
            if case .symbol(let symbol) = token.kind {
                if open == 0, stops.contains(symbol) { return }
                switch symbol {
                case .leftParenthesis, .leftBracket, .missing: open += 1
                case .rightParenthesis, .rightBracket: open = max(0, open - 1)
                default: break
                }
            }
            advance()
        }
    }

    // MARK: Queries

    mutating func parseQuery() -> Query? {
        let start = token.span.lower
        guard token.kind != .end else {
            report("the query is empty", at: Span(0, 0), hint: "for example: process where process.name : \"cmd.exe\"")
            return nil
        }
        do throws(Abandoned) {
            let form = try parseForm()
            let formSpan = span(from: start)
            let pipes = parsePipes()
            if token.kind != .end {
                throw fail("\(describe(token)) does not belong here", hint: hintForTrailing())
            }
            return Query(form: form, pipes: pipes, span: pipes.last.map { formSpan.union($0.span) } ?? formSpan)
        } catch {
            return nil
        }
    }

    private func hintForTrailing() -> String? {
        switch token.kind {
        case .symbol(.assign): "compare with =="
        case .symbol(.equal), .symbol(.notEqual), .symbol(.less), .symbol(.lessOrEqual), .symbol(.greater),
            .symbol(.greaterOrEqual):
            "comparisons do not chain; join two with 'and'"
        case .symbol(.leftBracket): "fields have no index: every value of an array is compared"
        case .name(let name) where ["OR", "AND", "NOT", "IN"].contains(name.uppercased()):
            "keywords are written in lower case: \(name.lowercased())"
        default: "join conditions with 'and' or 'or'"
        }
    }

    private mutating func parseForm() throws(Abandoned) -> Query.Form {
        switch token.kind {
        case .keyword(.sequence): .sequence(try parseSequence())
        case .keyword(.sample): .sample(try parseSample())
        case .keyword(.join):
            throw fail("'join' is not supported, as in Elasticsearch", hint: "use 'sequence by' or 'sample by'")
        default: .event(try parseEventQuery())
        }
    }

    /// `category where condition`.
    mutating func parseEventQuery() throws(Abandoned) -> EventQuery {
        let start = token.span.lower
        let category: EventQuery.Category
        switch token.kind {
        case .keyword(.any):
            category = .any
            advance()
        case .name(let name):
            category = .named(name, token.span)
            advance()
        case .string(let name):
            category = .named(name, token.span)
            advance()
        default:
            throw expected("an event category or 'any'", hint: "for example: process where …, or any where …")
        }
        if case .named(let name, _) = category, !at(.where), ["fork", "descendant", "child", "event"].contains(name) {
            throw fail("'\(name)' queries are not supported, as in Elasticsearch")
        }
        guard take(.where) else { throw expected("'where'") }
        let condition = try parseExpression()
        return EventQuery(category: category, condition: condition, span: span(from: start))
    }

    // MARK: Pipes

    private mutating func parsePipes() -> [Pipe] {
        var pipes: [Pipe] = []
        while at(.pipe) {
            let start = token.span.lower
            advance()
            do throws(Abandoned) {
                pipes.append(try parsePipe(from: start))
            } catch {
                skip(to: [.pipe])
            }
        }
        return pipes
    }

    private mutating func parsePipe(from start: Int) throws(Abandoned) -> Pipe {
        guard case .name(let word) = token.kind else { throw expected("'head' or 'tail' after '|'") }
        guard let name = Pipe.Name(rawValue: word) else {
            throw fail("the pipe '\(word)' is not supported", hint: "EQL has '| head n' and '| tail n'")
        }
        advance()
        guard case .integer(let count) = token.kind, count >= 0, let count = Int(exactly: count) else {
            throw expected("a whole number after '| \(word)'")
        }
        advance()
        return Pipe(name: name, count: count, span: span(from: start))
    }

    // MARK: Fields

    /// A field, perhaps optional; nil when none stands here.
    mutating func parseField() throws(Abandoned) -> FieldReference? {
        let start = token.span.lower
        let isOptional = take(.question)
        let path: String
        switch token.kind {
        case .name(let name), .path(let name): path = name
        default:
            if isOptional { throw expected("a field name after '?'") }
            return nil
        }
        advance()
        if at(.leftBracket), token.isAdjacent {
            throw fail(
                "array elements cannot be chosen: '\(path)['", hint: "every value of an array is compared as it is")
        }
        return FieldReference(path: FieldPath(path), isOptional: isOptional, span: span(from: start))
    }
}
