import EventSchema
import Testing

@testable import EQL

/// What conditions mean on events: absent fields, arrays, case, wildcards, null.
@Suite struct CheckerSemanticsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var condition: Expression
        var event: TestEvent
        var isMatch: Bool

        init(_ name: String, _ condition: Expression, _ values: [Literal] = [], _ isMatch: Bool) {
            testDescription = name
            self.condition = condition
            event = values.isEmpty ? [:] : ["f": values]
            self.isMatch = isMatch
        }
    }

    private static let f = Expression.field("f")

    static let cases: [Case] = [
        Case("absent: not f == x", .not(f .== "x"), [], true),
        Case("absent: f != x", f .!= "x", [], true),
        Case("absent: not f in (x)", .not(f.isIn("x")), [], true),
        Case("absent: f not in (x)", f.isIn("x", negated: true), [], true),
        Case("absent: not (f > 3)", .not(f .> 3), [], true),
        Case("absent: f < 3 or f >= 3", f .< 3 .|| f .>= 3, [], false),
        Case("absent: not startsWith(f, a)", .not(.call("startsWith", f, "a")), [], true),
        Case("absent: f == null", f .== nil, [], true),
        Case("absent: null != f", nil .!= f, [], false),
        Case("empty text is a value", f .== nil, [.string("")], false),
        Case("any value: f != a", f .!= "a", [.string("a"), .string("b")], false),
        Case("any value: f == a and f == b", f .== "a" .&& f .== "b", [.string("a"), .string("b")], true),
        Case("any value: f > 3 and f < 2", f .> 3 .&& f .< 2, [.integer(1), .integer(9)], true),
        Case("any value: not f : c*", .not(f.matches(.colon, "c*")), [.string("a"), .string("b")], true),
        Case("== minds case", f .== "cmd.exe", [.string("CMD.exe")], false),
        Case(": ignores case", f.matches(.colon, "cmd.exe"), [.string("CMD.exe")], true),
        Case("like minds case", f.matches(.like, "cmd*"), [.string("CMD.exe")], false),
        Case("like~ ignores case", f.matches(.likeInsensitive, "cmd*"), [.string("CMD.exe")], true),
        Case("== knows no wildcard", f .== "cmd*", [.string("cmd1")], false),
        Case("in~ knows no wildcard", f.isIn("cmd*", folded: true), [.string("cmd1")], false),
        Case("in~ ignores case", f.isIn("Cmd", "x", folded: true), [.string("cMD")], true),
        Case("folding is ASCII", f.matches(.colon, "é"), [.string("É")], false),
        Case("backslash is ordinary", f.matches(.colon, #"C:\*"#), [.string(#"C:\a"#)], true),
        Case("no escape for *", f.matches(.colon, #"a\*"#), [.string("a*")], false),
        Case("? is one character", f.matches(.colon, "doc?"), [.string("doc")], false),
        Case("one pattern of a list", f.matches(.colon, "x*", "b"), [.string("B")], true),
        Case("regex is anchored", f.matches(.regex, "abc"), [.string("xabc")], false),
        Case("(?i) is no flag", f.matches(.regex, "(?i)abc"), [.string("ABC")], false),
        Case("^ and $ are ordinary", f.matches(.regex, "^abc$"), [.string("abc")], false),
        Case("regex~ ignores case", f.matches(.regexInsensitive, "a[b-c]+"), [.string("ABC")], true),
        Case("stringContains has wildcards", .call("stringContains", f, "p=*x"), [.string("p=12x!")], true),
        Case("stringContains: escaped star", .call("stringContains", f, #"\*"#), [.string("a*b")], true),
        Case("stringContains of nothing", .call("stringContains", f, ""), [.string("a")], true),
        Case("startsWith is literal", .call("startsWith", f, "a*"), [.string("ab")], false),
        Case("endsWith~", .call("endsWith", f, ".EXE", folded: true), [.string("a.exe")], true),
        Case("cidrMatch ignores host bits", .call("cidrMatch", f, "10.6.48.157/8"), [.string("10.0.0.1")], true),
        Case("bare field", f, [.boolean(true)], true),
        Case("bare field, false", f, [.boolean(false)], false),
        Case("number equals its text", f .== "443", [.integer(443)], true),
        Case("text equals its number", f .== 443, [.string("443")], true),
        Case("another spelling is another text", f .== "0443", [.integer(443)], false),
        Case("3 == 3.0", f .== 3.0, [.integer(3)], true),
        Case("literal on the left", 3 .< f, [.integer(4)], true),
        Case("literal on the left, not", 3 .< f, [.integer(3)], false),
        Case("text is ordered by code point", f .< "a", [.string("Z")], true),
        Case(": with a number is ==", f.matches(.colon, 443), [.integer(443)], true),
        Case("not ?f : x, absent", .not(Expression.field("f", optional: true).matches(.colon, "x")), [], true),
        Case("?f == ?g, both absent", .field("f", optional: true) .== .field("g", optional: true), [], true),
        Case("f < null", .not(f .< nil), [.integer(1)], false),
    ]

    @Test(arguments: cases) func matches(_ sample: Case) throws {
        let condition = try #require(lowered(sample.condition))
        #expect(try holds(condition, in: sample.event) == sample.isMatch, "\(condition)")
    }

    @Test(
        arguments: [
            (83 ./ 2 .== 41, true), (83 ./ 2.0 .== 41, false), (1 ./ 0 .== nil, true), (nil .== nil, true),
            (nil .< 1, false),
            (.not(nil .< 1), false), (false .&& nil .== nil, false), (true .|| nil, true), (nil .&& true, false),
            (.not(nil), false), (.not(nil) .== nil, true), ((nil .&& false) .== false, true), ("Z" .< "a", true),
            ("1" .== 1, true), (3 .== 3.0, true), (Expression("a").isIn("A", "b", folded: true), true),
            (Expression(2).isIn(1, 3, negated: true), true), ((nil .|| .field("f")) .&& true .|| 1 .== 1, true),
        ] as [(Expression, Bool)])
    func constantsFoldThreeValued(expression: Expression, isMatch: Bool) {
        #expect(lowered(expression) == .constant(isMatch))
    }

    @Test func categoriesAreExact() throws {
        let result = check(query(true, category: "process"))
        let condition = try #require(result.query?.conditions.first)
        #expect(try holds(condition, in: ["event.category": [.string("x"), .string("process")]]))
        #expect(try !holds(condition, in: ["event.category": [.string("Process")]]))
        let overridden = check(
            query(true, category: "start"), options: CheckOptions(eventCategoryField: "event.type"))
        #expect(try holds(try #require(overridden.query?.conditions.first), in: ["event.type": [.string("start")]]))
    }

    @Test func searchModeFindsAnywhere() throws {
        let expression = Expression.field("f").matches(.regexInsensitive, "(?i)(mailsniper|curl/[0-9])")
        let condition = try #require(lowered(expression, options: CheckOptions(regexMode: .search)))
        #expect(try holds(condition, in: ["f": [.string("run MailSniper now")]]))
        #expect(try !holds(condition, in: ["f": [.string("curl/x")]]))
    }
}
