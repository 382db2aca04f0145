import Detection
import EQL
import EventSchema
import Events
import Matching

/// From the text of a query to its verdict on an event.
///
/// Promises: a query exactly when no diagnostic is an error; something is said about every text that gives none;
/// every place is inside the text; what is valid compiles; both ways to evaluate it agree.
final class QuerySubject: FuzzSubject {
    private static let event = #"""
        {"@timestamp":"2026-01-01T00:00:00Z","event":{"category":["process","network"],"type":"start"},
        "process":{"name":"cmd.exe","args":["/c","é"],"pid":4},"destination":{"port":443,"ip":"10.0.0.1"},
        "user":{"name":null},"host":{"id":"h"}}
        """#

    private var count = 0

    func run(_ input: [UInt8]) -> String? {
        let source = SourceText(String(decoding: input, as: UTF8.self))
        count += 1
        let options = CheckOptions(regexMode: count.isMultiple(of: 4) ? .search : .elastic)
        let result = QueryReader(count.isMultiple(of: 3) ? .stream : .bounded, options: options).read(source)
        let errors = result.diagnostics.filter { $0.severity == .error }
        for diagnostic in result.diagnostics {
            let span = diagnostic.span
            guard 0 <= span.lower, span.lower <= span.upper, span.upper <= source.utf8.count else {
                return "a place outside the text: \(diagnostic)"
            }
            if diagnostic.message.isEmpty || render(diagnostic, in: source).isEmpty { return "an empty message" }
        }
        guard let query = result.query else { return errors.isEmpty ? "refused without a word" : nil }
        guard errors.isEmpty else { return "accepted with errors: \(errors)" }
        return evaluate(query)
    }

    private func evaluate(_ query: CheckedQuery) -> String? {
        let compiled: CompiledQueries
        do {
            compiled = try CompiledQueries([query])
        } catch {
            // A pattern too large for the matcher; it was fine by itself.
            return error.reason.isEmpty ? "a pattern is refused without a reason" : nil
        }
        let decoder = compiled.makeDecoder(limits: DecodeLimits())
        let matcher = Matcher(compiled.program)
        let failure = Array(Self.event.utf8).withUnsafeBytes { decoder.decode($0) }
        guard failure == nil else { return "the event is not read: \(String(describing: failure))" }
        for id in query.conditions.indices {
            let holds = matcher.holds(id, for: decoder.event)
            guard matcher.verdicts(id, for: decoder.event).holds == holds else {
                return "the explanation of \(query.conditions[id]) contradicts the plan, which says \(holds)"
            }
        }
        return nil
    }

    static let seeds = [
        #"process where process.name : ("cmd*", "p?sh.exe") and not user.name in~ ("a", "B")"#,
        #"any where destination.port in (80, 443) or event.category == "network" and 1 + 2 * 3 >= process.pid % 7"#,
        #"sequence by host.id with maxspan=5m [process where true] by user.name [network where a.b != null] by c until [file where true]"#,
        #"sequence with maxspan=10s [any where x regex "a.*[b-d]{2,3}(e|f)?<1-99>~x@"] ![any where y] with runs=3 | head 4 | tail 2"#,
        #"sample by host.id, ?user.id with maxspan=60s [process where process.name like~ "*a*"] [file where true]"#,
        #"any where cidrMatch(source.ip, "10.0.0.0/8", "fe80::/10") and startsWith~(`a``b`.c, "x") // c"#,
        #"any where between(process.name, "a", "b", true) == substring(?x, -3, 2) /* n /* m */ */ and null == (exit > -1.5e3)"#,
        #"any where process.command_line regex~ """.*"quoted"\\d+.*""" and length(concat(a, 1, true)) != 0x"#,
        #"any where "\u{1F600}\t\\" == process.name and number("0x1F", 16) / 0 < indexOf~(a, "É", 1)"#,
    ]

    static let words = [
        " and ", " or ", "not ", "(", ")", "[", "]", "![", "\"", "\"\"\"", "`", "?", "*", "\\", "\\u{", "}", ",", ":",
        "==",
        "!=", "<", ">=", " in~ (", " like ", " regex~ ", "null", "true", "where", "any where ", "sequence ",
        "sample by ",
        " until ", " with maxspan=", "1d", "runs=100", "| head ", "9223372036854775807", "99999999999999999999", "-",
        "1e400",
        "0.5", "/*", "*/", "//", "\n", "\0", "é", "\u{10FFFF}", ".", "..", "@", "~", "<1-9>", "{1000}", "[^", "(?i)",
        "()",
        "length(", "concat(", "+", "%", "/",
    ]
}
