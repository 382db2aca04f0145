import EQL
import EventSchema
import Matching
import Testing

/// Values of every kind against tests of every kind, by field type.
@Suite struct ValueTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var condition: String
        var json: String
        var holds: Bool

        init(_ condition: String, _ json: String, _ holds: Bool) {
            self.condition = condition
            self.json = json
            self.holds = holds
        }

        var testDescription: String { "\(condition) on \(json)" }
    }

    static let numbers = [
        Case("process.pid == 3", #"{"process.pid": 3}"#, true),
        Case("process.pid == 3", #"{"process.pid": "3"}"#, true),
        Case("process.pid == 3.0", #"{"process.pid": 3}"#, true),
        Case("process.pid >= 3", #"{"process.pid": 3}"#, true),
        Case("process.pid > 3", #"{"process.pid": 3}"#, false),
        Case("process.pid < 3.5", #"{"process.pid": 3}"#, true),
        Case("process.pid < -9223372036854775807", #"{"process.pid": -9223372036854775808}"#, true),
        Case("event.risk_score == 0.1", #"{"event.risk_score": 0.1}"#, true),
        Case("event.risk_score == 1", #"{"event.risk_score": 1.0}"#, true),
        Case("event.risk_score <= 0.1", #"{"event.risk_score": 0.2}"#, false),
        Case("process.pid in (1, 2)", #"{"process.pid": [5, 2]}"#, true),
        Case("process.pid in (1, 2)", #"{"process.pid": [5, 6]}"#, false),
    ]

    static let dates = [
        Case(#"event.created == "2024-01-01""#, #"{"event.created": "2024-01-01T01:00:00+01:00"}"#, true),
        Case(#"event.created == 1704067200000"#, #"{"event.created": "2024-01-01T00:00:00Z"}"#, true),
        Case(#"event.created < "2024-01-01""#, #"{"event.created": 1704067199999}"#, true),
        Case(
            #"event.created > "2024-01-01T00:00:00.000000001Z""#,
            #"{"event.created": "2024-01-01T00:00:00.000000002Z"}"#, true),
        Case(#"event.created >= "2024-01-01""#, #"{"event.created": "soon"}"#, false),
    ]

    static let addresses = [
        Case(#"source.ip == "10.0.0.1""#, #"{"source.ip": "::ffff:10.0.0.1"}"#, true),
        Case(#"source.ip == "2001:db8::1""#, #"{"source.ip": "2001:DB8:0:0::1"}"#, true),
        Case(#"cidrMatch(source.ip, "10.0.0.0/8", "fe80::/10")"#, #"{"source.ip": "10.255.255.255"}"#, true),
        Case(#"cidrMatch(source.ip, "10.0.0.0/8", "fe80::/10")"#, #"{"source.ip": "febf::1"}"#, true),
        Case(#"cidrMatch(source.ip, "10.0.0.0/8", "fe80::/10")"#, #"{"source.ip": "11.0.0.0"}"#, false),
        Case(#"cidrMatch(source.ip, "0.0.0.0/0")"#, #"{"source.ip": "no address"}"#, false),
        Case(#"source.ip > "9.255.255.255""#, #"{"source.ip": "10.0.0.0"}"#, true),
        Case(#"cidrMatch(custom.peer, "10.0.0.0/8")"#, #"{"custom.peer": "10.1.2.3"}"#, true),
        Case(#"cidrMatch(custom.peer, "10.0.0.0/8")"#, #"{"custom.peer": 10}"#, false),
    ]

    static let texts = [
        Case(#"process.name == "é""#, #"{"process.name": "é"}"#, true),
        Case(#"process.name in ("\u{e9}", "x")"#, #"{"process.name": "e\u0301"}"#, false),
        Case(#"process.name in ("\u{e9}", "e\u{301}")"#, #"{"process.name": "e\u0301"}"#, true),
        Case(#"process.name in~ ("\u{e9}", "e\u{301}")"#, #"{"process.name": "E\u0301"}"#, true),
        Case(#"process.name : ("Abc", "d")"#, #"{"process.name": "aBC"}"#, true),
        Case(#"process.name in~ ("é")"#, #"{"process.name": "É"}"#, false),
        Case(#"process.name == """#, #"{"process.name": ""}"#, true),
        Case(#"process.name like "?""#, #"{"process.name": ""}"#, false),
        Case(#"process.name regex "a?""#, #"{"process.name": ""}"#, true),
        Case(#"process.name == "a""#, #"{"process.name": "a\u0000"}"#, false),
        Case(#"process.name like "a*b""#, #"{"process.name": "a\u0000b"}"#, true),
        Case(#"process.name < "b""#, #"{"process.name": "ab"}"#, true),
        Case(#"process.name < "\u{10000}""#, #"{"process.name": "\uffff"}"#, true),
        Case(#"process.name == "7""#, #"{"process.name": 7}"#, true),
        Case(#"process.name like "7*""#, #"{"process.name": 71}"#, true),
    ]

    /// Fields outside ECS hold what the record says. A pattern sees the text of it.
    static let dynamic = [
        Case(#"custom.x like "44*""#, #"{"custom.x": 443}"#, true),
        Case(#"custom.x like "45*""#, #"{"custom.x": 443}"#, false),
        Case(#"custom.x like "-9*8""#, #"{"custom.x": -9223372036854775808}"#, true),
        Case(#"custom.x like "?""#, #"{"custom.x": 0}"#, true),
        Case(#"custom.x like "1.?""#, #"{"custom.x": 1.5}"#, true),
        Case(#"custom.x like "*.0""#, #"{"custom.x": 5.0}"#, true),
        Case(#"custom.x regex "0\\.1234567890123.*""#, #"{"custom.x": 0.1234567890123456}"#, true),
        Case(#"custom.x : "TR?E""#, #"{"custom.x": true}"#, true),
        Case(#"custom.x regex "fal.*""#, #"{"custom.x": [1, false]}"#, true),
        Case(#"custom.x in~ ("TRUE", "443")"#, #"{"custom.x": true}"#, true),
        Case(#"custom.x in~ ("TRUE", "443")"#, #"{"custom.x": 443}"#, true),
        Case(#"custom.x == 443"#, #"{"custom.x": "443"}"#, true),
        Case(#"custom.x == "443""#, #"{"custom.x": 443}"#, true),
        Case(#"custom.x == true"#, #"{"custom.x": "true"}"#, true),
        Case(#"custom.x < "5""#, #"{"custom.x": 443}"#, true),
        Case(#"custom.x < 5"#, #"{"custom.x": 443}"#, false),
        Case(#"custom.x == "false" or custom.x like "z*""#, #"{"custom.x": false}"#, true),
    ]

    @Test(arguments: numbers + dates + addresses + texts + dynamic)
    func holds(_ value: Case) throws {
        let bench = try Bench(value.condition)
        #expect(try bench.matches(value.json) == (value.holds ? [0] : []))
        #expect(try bench.holding(value.json) == (value.holds ? [0] : []))
    }

    /// Nothing of an event is left in the answers for the next.
    @Test func eventsDoNotMix() throws {
        let all = Self.numbers + Self.dates + Self.addresses + Self.texts + Self.dynamic
        let bench = try Bench(all.map(\.condition))
        for (id, value) in all.enumerated() {
            #expect(try bench.matches(value.json).contains(id) == value.holds, "\(value)")
            #expect(try bench.matches("{}").isEmpty)
        }
    }

    @Test func aPatternThatVectorscanRefusesIsNamed() throws {
        let pattern = StringPattern(
            expression: #"(a)\1"#, source: #"(a)\1"#, origin: .search(caseInsensitive: false), span: Span(0, 0))
        let test = FieldTest(field: "process.name", type: .keyword, test: .matches([pattern]))
        #expect(throws: PatternProblem.self) { try Bench([.test(test)]) }
        #expect(PatternProblem.check(pattern)?.pattern == pattern)
    }
}
