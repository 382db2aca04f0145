import Testing

@testable import EQL

@Suite("Parser")
struct ParserTests {
    /// The printed form shows the tree: parentheses stand where the printer needs them, and nowhere else.
    @Test(
        "event queries",
        arguments: [
            ("process where true", "process where true"),
            ("any where true", "any where true"),
            ("\"two words\" where true", "\"two words\" where true"),
            ("\"\"\"net\"\"\" where true", "net where true"),
            ("\"any\" where true", "\"any\" where true"),
            ("any where runs == 1", "any where runs == 1"),
            ("any where ?a.b == ?`c-d`", "any where ?a.b == ?`c-d`"),
            ("any where `a`.b == `c.d`", "any where a.b == c.d"),
            ("any where f : \"\"\"C:\\*\"\"\"", "any where f : \"C:\\\\*\""),
            ("any where f : (\"a*\",\"b?\")", "any where f : (\"a*\", \"b?\")"),
            ("any where f : (\"a\")", "any where f : \"a\""),
            ("any where f : 5 or f:(-1,2.5,\"a*\",true)", "any where f : 5 or f : (-1, 2.5, \"a*\", true)"),
            ("any where f like~ \"a\" or f like \"b\"", "any where f like~ \"a\" or f like \"b\""),
            ("any where f regex~ (\"a\",\"b\") or f regex \"c\"", "any where f regex~ (\"a\", \"b\") or f regex \"c\""),
            ("any where f in(1,2.5)", "any where f in (1, 2.5)"),
            ("any where f not  in~ (\"a\")", "any where f not in~ (\"a\")"),
            ("any where not f in (null, true)", "any where not f in (null, true)"),
            ("any where cidrmatch( ip ,\"10.0.0.0/8\")", "any where cidrmatch(ip, \"10.0.0.0/8\")"),
            ("any where endsWith~(a, \"b\") and f()", "any where endsWith~(a, \"b\") and f()"),
            ("any where a == -1 and b == - 1.5", "any where a == -1 and b == -1.5"),
            ("any where a == -9223372036854775808", "any where a == -9223372036854775808"),
            ("any where a == --9223372036854775808", "any where a == -(-9223372036854775808)"),
            ("any where a == -9223372036854775809", "any where a == -9.223372036854776e+18"),
            ("any where a == +1 and -b == +c", "any where a == 1 and -b == c"),
            ("any where -(a + b) > --c", "any where -(a + b) > -(-c)"),
            ("process where a | head 5 | tail 2", "process where a | head 5 | tail 2"),
        ])
    func events(text: String, printed: String) throws {
        try expect(text, prints: printed)
    }

    @Test(
        "precedence",
        arguments: [
            ("not a == b", "not a == b", "not (a == b)"),
            ("a or b and c", "a or b and c", "a or (b and c)"),
            ("not a and b", "not a and b", "(not a) and b"),
            ("a == 1 + 2 * 3", "a == 1 + 2 * 3", "a == (1 + (2 * 3))"),
            ("1 - 2 - 3 == a", "1 - 2 - 3 == a", "((1 - 2) - 3) == a"),
            ("a / b * c == 1", "a / b * c == 1", "((a / b) * c) == 1"),
            ("-a * b == 1", "-a * b == 1", "((-a) * b) == 1"),
            ("-a in (1)", "-a in (1)", "-(a in (1))"),
            ("a == b : \"x\"", "a == b : \"x\"", "a == (b : \"x\")"),
            ("a + b in (1)", "a + b in (1)", "a + (b in (1))"),
            ("not not a", "not not a", "not (not a)"),
            ("not a in (1)", "not a in (1)", "not (a in (1))"),
            ("(a == b) == c", "(a == b) == c", "((a == b)) == c"),
            ("a == (not b)", "a == (not b)", "a == ((not b))"),
            ("(a or b) and c", "(a or b) and c", "((a or b)) and c"),
            ("1 - (2 - 3) == a", "1 - (2 - 3) == a", "(1 - ((2 - 3))) == a"),
            ("a or (b or c) or d", "a or b or c or d", "((a or b) or c) or d"),
            ("(a and b) and (c and d)", "a and b and c and d", "a and (b and (c and d))"),
            ("((((a))))", "a", "(a)"),
        ])
    func precedence(text: String, printed: String, explicit: String) throws {
        try expect("any where \(text)", prints: "any where \(printed)")
        try expect("any where \(explicit)", prints: "any where \(printed)")
    }

    @Test(
        "sequences and samples",
        arguments: [
            ("sequence [a where b] [c where d]", "sequence [a where b] [c where d]"),
            (
                "sequence by host.id , ?user.id with maxspan = 5m\n [a where b]\n [c where d]",
                "sequence by host.id, ?user.id with maxspan=5m [a where b] [c where d]"
            ),
            (
                "sequence with maxspan=500 ms [a where b] by x [c where d] by ?`y`",
                "sequence with maxspan=500ms [a where b] by x [c where d] by ?y"
            ),
            ("sequence [a where b] by x, y with runs=3", "sequence [a where b] by x, y with runs=3"),
            ("sequence [a where b] with runs = 1", "sequence [a where b]"),
            ("sequence by x[a where b][c where d]", "sequence by x [a where b] [c where d]"),
            (
                "sequence with maxspan=2d [a where b] ![c where d] by k until [any where e] by k | tail 1",
                "sequence with maxspan=2d [a where b] ![c where d] by k until [any where e] by k | tail 1"
            ),
            ("sample by host.id [a where b] [c where d]", "sample by host.id [a where b] [c where d]"),
            (
                "sample by x with maxspan=1h [a where b] [c where d]",
                "sample by x with maxspan=1h [a where b] [c where d]"
            ),
            ("sample [a where b] by x [c where d] by y", "sample [a where b] by x [c where d] by y"),
        ])
    func correlations(text: String, printed: String) throws {
        try expect(text, prints: printed)
    }

    private func expect(_ text: String, prints printed: String) throws {
        let result = parse(SourceText(text))
        #expect(result.diagnostics == [], "\(text)")
        let query = try #require(result.query)
        #expect(query.description == printed)
        #expect(parse(SourceText(printed)).query?.withoutSpans == query.withoutSpans)
    }
}
