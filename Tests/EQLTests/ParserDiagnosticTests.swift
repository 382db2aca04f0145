import Testing

@testable import EQL

@Suite("Parser, what it refuses")
struct ParserDiagnosticTests {
    /// The text, a part of the message, a part of the hint, the column.
    typealias Refusal = (text: String, message: String, hint: String, column: Int)

    @Test(
        "event queries",
        arguments: [
            ("", "the query is empty", "process where", 1),
            (" // nothing", "the query is empty", "process where", 1),
            ("process.name == \"x\"", "expected an event category or 'any', found 'process.name'", "any where", 1),
            ("name == \"x\"", "expected 'where' after the event category, found '=='", "", 6),
            ("process", "expected 'where' after the event category, found the end of the query", "any where", 8),
            ("process WHERE true", "expected 'where' after the event category, found 'WHERE'", "lower case: where", 9),
            ("process where", "expected a field, a value or '(', found the end", "", 14),
            ("where true", "expected an event category or 'any', found 'where'", "", 1),
            ("join [a where b] [c where d]", "'join' is not supported", "sequence by", 1),
            ("child of [a where b]", "'child of' is not supported", "sequence by", 1),
            ("a where descendant of [b where c]", "'descendant of' is not supported", "sequence by", 9),
            ("a where b fork", "'fork' does not belong here", "not supported", 11),
        ] as [Refusal])
    func queries(refusal: Refusal) throws {
        try check(refusal, prefix: "")
    }

    @Test(
        "conditions",
        arguments: [
            ("a = \"x\"", "'=' does not compare", "use == to compare", 3),
            ("a == b == c", "'==' does not belong here", "comparisons do not chain", 8),
            ("1 < a < 3", "'<' does not belong here", "comparisons do not chain", 7),
            ("a == not b", "found 'not'", "keyword", 6),
            ("a not like \"x\"", "'not' stands before", "write: not a like", 3),
            ("a not : \"x\"", "'not' stands before", "write: not a : ", 3),
            ("a AND b", "'AND' does not belong here", "lower case: and", 3),
            ("a is null", "'is' does not belong here", "== null", 3),
            ("a b", "'b' does not belong here", "'and' or 'or'", 3),
            ("a : b", "expected a string, found 'b'", "string or a list of strings", 5),
            ("a : -b", "expected a string, found '-'", "string or a list of strings", 5),
            ("a like (\"x\", 5)", "expected a string, found '5'", "the right side of like", 14),
            ("a regex~ (\"x\" \"y\")", "expected ',' or ')', found a string", "", 15),
            ("a : \"x\" : \"y\"", "':' does not belong here", "one test", 9),
            ("a in \"x\"", "expected '(' and a list, found a string", "for example", 6),
            ("a in ()", "expected a field, a value or '(', found ')'", "", 7),
            ("a in (1, )", "expected a field, a value or '(', found ')'", "", 10),
            ("a in ~ (1)", "found '~'", "directly behind", 6),
            ("a ~ \"x\"", "'~' does not belong here", "directly behind", 3),
            ("f[0] == 1", "a field has no index", "every value", 2),
            ("a.b[12] == 1", "a field has no index", "every value", 4),
            ("?length(a) == 1", "'(' does not belong here", "", 8),
            ("?1 == 1", "expected a field name after '?', found '1'", "", 2),
            ("(a == b", "this '(' is never closed", "close it", 1),
            ("length(a", "this '(' is never closed", "close it", 7),
            ("(a, b)", "expected ')', found ','", "lists stand only", 3),
            ("a == b)", "')' does not belong here", "", 7),
            ("a and", "expected a field, a value or '(', found the end", "", 6),
            ("a and // b", "expected a field, a value or '(', found the end", "", 6),
            ("or a", "expected a field, a value or '(', found 'or'", "keyword", 1),
            ("a == sequence", "found 'sequence'", "backquotes", 6),
            ("a || b", "'||' is not an operator of EQL", "write 'or'", 3),
            ("a == 'x'", "single quotes", "double quotes", 6),
            ("a == \"C:\\Users\"", "unknown escape", "\\\\", 9),
            ("a == 5m", "'m' does not belong here", "", 7),
            ("a | count", "the pipe 'count' is not supported", "head n", 5),
            ("a | sort x", "the pipe 'sort' is not supported", "head n", 5),
            ("a | head", "expected a whole number after '| head'", "", 9),
            ("a | head -1", "expected a whole number after '| head', found '-'", "", 10),
            ("a | head 5 6", "'6' does not belong here", "", 12),
            ("a |", "expected 'head' or 'tail' after '|'", "", 4),
        ] as [Refusal])
    func conditions(refusal: Refusal) throws {
        try check(refusal, prefix: "any where ")
    }

    @Test(
        "sequences and samples",
        arguments: [
            ("sequence", "first term of the sequence", "", 9),
            ("sequence by [a where b]", "expected a field name, found '['", "", 13),
            ("sequence by length(x) [a where b]", "first term of the sequence", "", 19),
            ("sequence with maxspan=1m by x [a where b]", "'by' stands before 'with'", "by … with maxspan", 26),
            ("sequence with maxspan=5 [a where b]", "no unit", "write 5s", 23),
            ("sequence with maxspan=5w [a where b]", "'w' is no unit of time", "500ms", 24),
            ("sequence with maxspan=0s [a where b]", "longer than nothing", "", 23),
            ("sequence with maxspan=-5s [a where b]", "expected a length of time, found '-'", "500ms", 23),
            ("sequence with maxspan=1.5h [a where b]", "expected a length of time, found '1.5'", "500ms", 23),
            ("sequence with maxspan=106752d [a where b]", "longer than 292 years", "", 23),
            ("sequence with runs=3 [a where b]", "expected 'maxspan', found 'runs'", "", 15),
            ("sequence [a where b] with maxspan=3s [a where b]", "expected 'runs' after 'with'", "runs=3", 27),
            ("sequence [a where b] with runs=0", "from 1 to 100, not 0", "", 22),
            ("sequence [a where b] with runs=101", "from 1 to 100, not 101", "", 22),
            ("sequence [a where b] with runs=2 by x", "'by' stands before 'with'", "[…] by", 34),
            ("sequence [a where b [c where d]", "'[' does not belong here", "brackets", 21),
            ("sequence [a where b", "expected ']' at the end of the term", "", 20),
            ("sequence [a where b] ! [c where d]", "unexpected character '!'", "'!['", 22),
            ("sequence [a where b] until c", "expected '[' after 'until'", "", 28),
            ("sequence [a where b] until ![c where d]", "takes no missing event", "remove the !", 28),
            ("sequence [a where b] until [c where d] [e where f]", "'[' does not belong here", "", 40),
            ("sequence [any where a | head 2] [b where c]", "a term takes no pipes", "whole query", 23),
            ("sample by x [a where b] ![c where d]", "a sample takes no missing event", "use a sequence", 25),
            ("sample by x [a where b] until [c where d]", "a sample takes no 'until'", "use a sequence", 25),
        ] as [Refusal])
    func correlations(refusal: Refusal) throws {
        try check(refusal, prefix: "")
    }

    private func check(_ refusal: Refusal, prefix: String) throws {
        let source = SourceText(prefix + refusal.text)
        let result = parse(source)
        #expect(result.query == nil)
        let diagnostic = try #require(result.diagnostics.first)
        #expect(result.diagnostics.count == 1, "\(result.diagnostics.map { render($0, in: source) })")
        #expect(diagnostic.message.contains(refusal.message), "\(diagnostic.message)")
        #expect(
            refusal.hint.isEmpty || diagnostic.hint?.contains(refusal.hint) == true, "\(diagnostic.hint ?? "no hint")")
        #expect(
            source.position(of: diagnostic.span.lower) == .init(line: 1, column: refusal.column + prefix.utf8.count))
    }

    @Test(
        "every mistake of a query is found",
        arguments: [
            ("any where a = 1 and b == and c in () or (d : x and e) or f", [13, 26, 36, 46]),
            ("any where length(a = 1, b == , c) == 2 and d[1] == 3", [20, 30, 45]),
            ("sequence [a wher b] [c where d = 1] by 5 [e where f] with runs=0", [13, 32, 40, 54]),
            ("sequence [a where ] [b where (c] [d where e)]", [19, 30, 44]),
            ("any where a == ) and b ==", [16, 26]),
            ("any where a = 'x' and b == \"\\q\" | sort | tail", [13, 15, 29, 35, 46]),
        ])
    func recovery(text: String, columns: [Int]) {
        let source = SourceText(text)
        let found = parse(source).diagnostics.map { source.position(of: $0.span.lower).column }
        #expect(found == columns, "\(parse(source).diagnostics.map(\.message))")
    }

    @Test("a mistake on a later line has that line's place")
    func lines() throws {
        let source = SourceText("any where\n  /* größe\n */ a == \"é\" and\n\tb = 1\n")
        let diagnostic = try #require(parse(source).diagnostics.first)
        #expect(source.position(of: diagnostic.span.lower) == .init(line: 4, column: 4))
    }
}
