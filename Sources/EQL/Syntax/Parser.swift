import EventSchema

/// What came of parsing: a tree exactly when no diagnostic is an error.
public struct ParseResult: Hashable, Sendable {
    public var query: Query?
    /// What could be read of a text with errors, a constant null in the place of every broken part: for finding
    /// more errors in it, and for nothing else.
    public var recovered: Query?
    /// In the order of their places; at most ``Parser/maximumDiagnostics``.
    public var diagnostics: [Diagnostic]
}

/// Parses the text of a query. Never fails in any other way than by diagnostics, whatever the text.
public func parse(_ source: SourceText) -> ParseResult {
    let (tokens, lexical) = Lexer.tokenize(source)
    var parser = Parser(source: source, tokens: tokens)
    let query = parser.parseQuery()
    // Where both have something to say about a place, the lexer saw the cause.
    var places: Set<Int> = []
    let diagnostics = (lexical + parser.diagnostics)
        .filter { places.insert($0.span.lower).inserted }
        .sorted { $0.span.lower < $1.span.lower }
    return ParseResult(
        query: diagnostics.isEmpty ? query : nil, recovered: diagnostics.isEmpty ? nil : query,
        diagnostics: Array(diagnostics.prefix(Parser.maximumDiagnostics)))
}

/// Recursive descent over the tokens, one function per rule of the grammar.
///
/// After an error the parser goes on behind the next place that is certain (the next operand of `and` or `or`,
/// the end of a list, of a term, of the query), so that one mistake is one diagnostic and the next mistake
/// is found too. What it puts in the place of a broken part is never evaluated: a query with errors gives no tree
/// but ``ParseResult/recovered``.
struct Parser {
    static let maximumDiagnostics = 20
    /// Parentheses, calls and prefix operators inside each other; beyond it the text is refused instead of
    /// the stack.
    static let maximumDepth = 256
    /// Arithmetic operators of a query: their tree leans to the left, as deep as there are operators.
    static let maximumArithmetic = 500

    let source: SourceText
    private let tokens: [Token]
    private var index = 0
    private(set) var diagnostics: [Diagnostic] = []
    private var depth = 0
    /// Parentheses opened and not yet closed before the current token.
    private(set) var openParentheses = 0
    var arithmeticOperators = 0
    private var hasGivenUp = false

    /// Thrown after a diagnostic has been added; caught where parsing can go on.
    struct Abandoned: Error {}

    init(source: SourceText, tokens: [Token]) {
        self.source = source
        self.tokens = tokens
    }

    // MARK: Tokens

    var token: Token { tokens[index] }

    func token(ahead count: Int) -> Token { tokens[min(index + count, tokens.count - 1)] }

    mutating func advance() {
        switch token.kind {
        case .end: return
        case .symbol(.leftParenthesis): openParentheses += 1
        case .symbol(.rightParenthesis): openParentheses = max(0, openParentheses - 1)
        default: break
        }
        index += 1
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

    mutating func expect(_ symbol: Symbol) throws(Abandoned) {
        if !take(symbol) { throw expected("'\(symbol.rawValue)'") }
    }

    mutating func expect(_ keyword: Keyword) throws(Abandoned) {
        if !take(keyword) { throw expected("'\(keyword.rawValue)'") }
    }

    /// The end of the token before the current one.
    private var lastEnd: Int { index > 0 ? tokens[index - 1].span.upper : 0 }

    func span(from start: Int) -> Span { Span(start, max(lastEnd, start)) }

    /// Where the current token is; the end of a query is where its last token ends.
    var place: Span { token.kind == .end ? Span(lastEnd, lastEnd) : token.span }

    // MARK: Errors

    /// Only the first diagnostic of a place is kept: the next one is about the same mistake.
    mutating func report(_ message: String, at span: Span, hint: String? = nil) {
        guard !hasGivenUp, !diagnostics.contains(where: { $0.span.lower == span.lower }),
            diagnostics.count < Self.maximumDiagnostics
        else { return }
        diagnostics.append(.error(message, at: span, hint: hint))
    }

    mutating func fail(_ message: String, at span: Span? = nil, hint: String? = nil) -> Abandoned {
        report(message, at: span ?? place, hint: hint)
        return Abandoned()
    }

    mutating func expected(_ what: String, hint: String? = nil) -> Abandoned {
        fail("expected \(what), found \(describe(token))", hint: hintForSpelling() ?? hint ?? hintForToken())
    }

    mutating func unexpected() -> Abandoned {
        fail(
            "\(describe(token)) does not belong here",
            hint: hintForSpelling() ?? hintForToken() ?? "join conditions with 'and' or 'or'")
    }

    private func describe(_ token: Token) -> String {
        switch token.kind {
        case .end: return "the end of the query"
        case .string: return "a string"
        default:
            let text = source[token.span]
            return text.count > 60 ? "'\(text.prefix(59))…'" : "'\(text)'"
        }
    }

    /// What is wrong with the token itself, wherever it stands.
    private func hintForSpelling() -> String? {
        switch token.kind {
        case .symbol(.tilde): return "~ stands directly behind in, like, regex or the name of a function"
        case .name(let name) where Keyword(rawValue: name.lowercased()) != nil:
            return "keywords are written in lower case: \(name.lowercased())"
        default: return nil
        }
    }

    /// What people mean who write this token where it cannot be.
    private func hintForToken() -> String? {
        switch token.kind {
        case .symbol(.assign): return "compare with ==; = is only part of maxspan= and runs="
        case .symbol(.equal), .symbol(.notEqual), .symbol(.less), .symbol(.lessOrEqual), .symbol(.greater),
            .symbol(.greaterOrEqual):
            return "comparisons do not chain; join two with 'and'"
        case .symbol(.leftBracket): return "only the terms of a sequence or a sample stand in brackets"
        case .keyword(.like), .keyword(.regex), .keyword(.in), .symbol(.colon):
            return "one value has one test; join two with 'and'"
        case .keyword(let keyword): return "'\(keyword.rawValue)' is a keyword; as a name it stands in backquotes"
        case .name("fork"): return "'fork' is not supported, as in Elasticsearch"
        case .name(let name) where name.lowercased() == "is": return "write == null or != null"
        default: return nil
        }
    }

    /// Runs `body` one level deeper.
    mutating func nested<Result>(_ body: (inout Parser) throws(Abandoned) -> Result) throws(Abandoned) -> Result {
        guard depth < Self.maximumDepth else {
            throw giveUp("the query is nested too deeply", hint: "at most \(Self.maximumDepth) levels are read")
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    /// Reports the last diagnostic: what follows is not read, and what is now open is not missed.
    mutating func giveUp(_ message: String, hint: String) -> Abandoned {
        let abandoned = fail(message, hint: hint)
        index = tokens.count - 1
        hasGivenUp = true
        return abandoned
    }

    /// Skips to the first token for which `isStop` holds, or to the end.
    mutating func skip(to isStop: (Parser) -> Bool) {
        while token.kind != .end, !isStop(self) { advance() }
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
            if token.kind != .end { _ = unexpected() }
            return Query(form: form, pipes: pipes, span: pipes.last.map { formSpan.union($0.span) } ?? formSpan)
        } catch {
            return nil
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

    private static let beginning = "begin with: process where …, or any where …"

    /// `category where condition`.
    mutating func parseEventQuery() throws(Abandoned) -> EventQuery {
        let start = token.span.lower
        let category: EventQuery.Category
        switch token.kind {
        case .name where token(ahead: 1).kind == .keyword(.of): throw refuseRelation()
        case .keyword(.any): category = .any
        case .name(let name), .string(let name): category = .named(name, token.span)
        default: throw expected("an event category or 'any'", hint: Self.beginning)
        }
        advance()
        guard take(.where) else {
            throw expected("'where' after the event category", hint: Self.beginning)
        }
        let condition = try parseExpression()
        return EventQuery(category: category, condition: condition, span: span(from: start))
    }

    /// Skips `child of […]` and the like; the current token is the first.
    mutating func refuseRelation() -> Abandoned {
        let start = token.span
        let abandoned = fail(
            "'\(source[start]) of' is not supported, as in Elasticsearch", at: start.union(token(ahead: 1).span),
            hint: "relate events by their fields: sequence by process.entity_id …")
        if token(ahead: 2).kind == .symbol(.leftBracket) {
            skip { $0.at(.rightBracket) }
            _ = take(.rightBracket)
        }
        return abandoned
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
                skip { $0.at(.pipe) }
            }
        }
        return pipes
    }

    private mutating func parsePipe(from start: Int) throws(Abandoned) -> Pipe {
        guard case .name(let word) = token.kind else { throw expected("'head' or 'tail' after '|'") }
        guard let name = Pipe.Name(rawValue: word) else {
            throw fail("the pipe '\(word)' is not supported", hint: "there are '| head n' and '| tail n'")
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
        if at(.leftBracket), case .integer = token(ahead: 1).kind {
            let index = token.span
            skip { $0.at(.rightBracket) }
            _ = take(.rightBracket)
            report(
                "a field has no index", at: span(from: index.lower),
                hint: "every value of an array is compared as it is")
        }
        return FieldReference(path: FieldPath(path), isOptional: isOptional, span: span(from: start))
    }
}
