import EventSchema
import Testing

@testable import EQL

/// What is refused, and what is let through with a word.
@Suite struct CheckerDiagnosticTests {
    private static let name = Expression.field("process.name")
    private static let pid = Expression.field("process.pid")
    private static let custom = Expression.field("custom")

    @Test(
        arguments: [
            (.call("length", name), "where a condition is needed"),
            (.call("length", pid) .> 3, "`length` needs text here, and `process.pid` is a long field"),
            (.call("length", .call("length", name)) .> 3, "this is a number"),
            (.call("length", name, "a") .> 3, "`length` takes 1 argument, not 2"),
            (.call("substring", name) .== "a", "takes 2 or 3 arguments, not 1"),
            (.call("concat") .== "a", "at least 1 argument"),
            (.call("length", name, folded: true) .> 3, "no `length~`"),
            (.call("length", name) .> "a", "no order"),
            (.call("string", .field("@timestamp")) .== "a", "`@timestamp` is a date field"),
            (.call("number", name, 37) .== 1, "a base is 2 to 36"),
            (.call("cidrMatch", .field("source.ip"), name), "are constants"),
            (.call("startsWith", name, "a") .> false, "no order"),
            (.call("startsWith", name, "a") .== 1, "true, false or null"),
            (.call("length", name).matches(.like, "1*"), "`like` needs text here, and this is a number"),
            (.call("string", pid).matches(.regex, "(?=a)"), "look-ahead"),
            ((name .== .field("user.name")) .== nil, "two fields cannot be compared"),
            (.call("lenght", name) .> 3, "no function `lenght`"),
            (name ./ 2 .== 1, "arithmetic needs a number here, and `process.name` is a keyword field"),
            ("a" ./ 2 .== 1, "arithmetic needs a number here, and this is text"),
            (name .== .field("user.name"), "two fields cannot be compared"),
            (.field("f", optional: true) .!= .field("g", optional: true), "two fields cannot be compared"),
            (pid.matches(.colon, "4*"), "needs a text field"),
            (.field("@timestamp").matches(.like, "2026*"), "needs a text field"),
            (name, "is a keyword field, where a condition is needed"),
            ("text", "where a condition is needed"),
            (pid ./ 2, "where a condition is needed"),
            (name.isIn(pid), "`in` takes constants"),
            (name.matches(.like, 5), "needs a string"),
            (name.matches(.regex, "a\"b"), "quoted text"),
            ((name .== "a") .> true, "no order"),
            (custom .> true, "no order"),
            ("a" .> 5, "no order"),
            (.call("cidrMatch", name, "10.0.0.0/8"), "needs an ip field"),
            (.call("cidrMatch", .field("source.ip"), "10.0.0"), "no address block"),
            (.call("startsWith", name), "takes 2 arguments, not 1"),
        ] as [(Expression, String)])
    func refuses(expression: Expression, message: String) {
        let result = check(query(expression))
        #expect(result.query == nil)
        let errors = result.diagnostics.filter { $0.severity == .error }
        #expect(errors.count == 1)
        #expect(errors.first?.message.contains(message) == true, "\(errors)")
    }

    @Test(
        arguments: [
            (name .== "cmd*", "ordinary characters"),
            (name.isIn("cmd?"), "ordinary characters"),
            (name.matches(.colon, "*"), "matches every value"),
            (name.matches(.regex, ".*"), "matches every value"),
            (name.matches(.regex, "(?i)cmd"), "no operator in Lucene"),
            (name.matches(.regex, "^cmd"), "ordinary character in Lucene"),
            (name.isIn("a", nil), "equals null"),
            (pid .== "abc" .|| pid .== 4, "can be compared with \"abc\""),
            (pid .> "abc" .|| pid .== 4, "can be compared with \"abc\""),
            (name .> 5, "ordered as text"),
            (.field("proces.name") .== "a", "not an ECS field"),
            (.field("f", optional: true) .== .field("g", optional: true), "both fields are absent"),
        ] as [(Expression, String)])
    func warns(expression: Expression, message: String) {
        let result = check(query(expression))
        #expect(result.query != nil)
        #expect(result.diagnostics.map(\.severity) == [.warning])
        #expect(result.diagnostics.first?.message.contains(message) == true, "\(result.diagnostics)")
    }

    @Test(arguments: [
        ("lenght", "length"), ("STARTWITH", "startsWith"), ("cidr_match", "cidrMatch"), ("entropy", nil),
    ])
    func suggestsFunctions(name: String, suggestion: String?) {
        let result = check(query(.call(name, Self.name) .== "a"))
        #expect(result.diagnostics.map(\.hint) == [suggestion.map { "Did you mean `\($0)`?" }])
    }

    @Test(arguments: [("wildcard", "like"), ("MATCH", "regex"), ("arrayContains", "=="), ("safe", "null")])
    func saysWhatReplacesFunctionsOfOldEQL(name: String, words: String) {
        let result = check(query(.call(name, Self.name)))
        #expect(result.query == nil)
        #expect(result.diagnostics.first?.hint?.contains(words) == true, "\(result.diagnostics)")
    }

    @Test func findsAllErrorsAtOnce() {
        let result = check(
            query(Self.name .&& (.call("length", Self.pid) .> 3 .|| .not(Self.pid.matches(.like, "a*")))))
        #expect(result.diagnostics.count == 3)
    }

    /// The literal as written, its value, and where in the literal the open group stands.
    @Test(arguments: [
        (#""a(b""#, "a(b", 2), (#""\t\\.(b""#, "\t\\.(b", 6),
        (#""""aé(b""""#, "aé(b", 6), (#""\u{e9}(b""#, "é(b", 7),
    ])
    func pointsIntoTheLiteral(written: String, value: String, place: Int) {
        let source = SourceText("f regex " + written)
        let literal = Span(8, source.utf8.count)
        let pattern = Expression(.literal(.string(value)), at: literal)
        let condition = Expression(.pattern(.field("f"), .regex, [pattern]), at: Span(0, literal.upper))
        let places = check(query(condition), source: source).diagnostics.map(\.span)
        #expect(places == [Span(8 + place, 9 + place)])
        #expect(check(query(condition)).diagnostics.map(\.span) == [literal])
    }
}
