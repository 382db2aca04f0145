import EventSchema
import Rules
import Testing

@testable import RuleTesting

@Suite struct FixtureReaderTests {
    private func events(_ text: String) throws -> [String] {
        let (fixture, problems) = FixtureReader.read(text, path: "a.test.yaml")
        #expect(problems.isEmpty, "\(problems)")
        return try #require(fixture).tests.flatMap { $0.events.map { String(decoding: $0.bytes, as: UTF8.self) } }
    }

    @Test func aRecordIsChangedFieldByField() throws {
        let found = try events(
            """
            records:
              start:
                event: {category: [process], type: [start]}
                process.name: powershell.exe
                process: {pid: 42}
            tests:
              - match: one
                events:
                  - record: start
                    fields: {process.pid: "43", event.type: end, host.ip: 192.0.2.1}
                    without: [process.name]
            """)
        #expect(
            found == [
                #"{"event":{"category":["process"],"type":"end"},"process":{"pid":"43"},"host":{"ip":"192.0.2.1"},"#
                    + #""@timestamp":"2026-01-01T09:00:00.000Z"}"#
            ])
    }

    @Test(arguments: [
        ("a: 1", #""a":1"#), ("a: -1.5e3", #""a":-1.5e3"#), ("a: '1'", #""a":"1""#), ("a: 0x1", #""a":"0x1""#),
        ("a: 007", #""a":"007""#), ("a: true", #""a":true"#), ("a: yes", #""a":"yes""#), ("a: ~", #""a":null"#),
        (#"a: "tab\t\"\\""#, #""a":"tab\t\"\\""#), ("a: [x, {b.c: 2}]", #""a":["x",{"b":{"c":2}}]"#),
        (#"a: "\u0007""#, #""a":"\u0007""#),
    ])
    func scalarsAreWhatJSONMakesOfThem(yaml: String, json: String) throws {
        let found = try events("tests:\n  - match: one\n    events:\n      - fields: {\(yaml)}\n")
        #expect(found == [#"{\#(json),"@timestamp":"2026-01-01T09:00:00.000Z"}"#])
    }

    @Test func timesAreRelativeToTheStart() throws {
        let found = try events(
            """
            tests:
              - match: one
                events:
                  - fields: {n: 1}
                  - fields: {n: 2}
                  - {at: +1m30s, fields: {n: 3}}
                  - fields: {n: 4}
                  - {at: -200ms, fields: {n: 5}}
                  - {at: +9s, fields: {n: 6, "@timestamp": "2020-01-01"}}
                  - {at: +1s, json: '{"n":7}'}
                  - {at: +1s, json: '{}'}
                  - {at: +1s, json: 'no json'}
            """)
        #expect(
            found == [
                #"{"n":1,"@timestamp":"2026-01-01T09:00:00.000Z"}"#,
                #"{"n":2,"@timestamp":"2026-01-01T09:00:01.000Z"}"#,
                #"{"n":3,"@timestamp":"2026-01-01T09:01:30.000Z"}"#,
                #"{"n":4,"@timestamp":"2026-01-01T09:01:31.000Z"}"#,
                #"{"n":5,"@timestamp":"2026-01-01T08:59:59.800Z"}"#, #"{"n":6,"@timestamp":"2020-01-01"}"#,
                #"{"@timestamp":"2026-01-01T09:00:01.000Z","n":7}"#, #"{"@timestamp":"2026-01-01T09:00:01.000Z"}"#,
                "no json",
            ])
    }

    @Test(
        arguments: [
            ("0s", 0), ("+5s", 5_000_000_000), ("-200ms", -200_000_000), ("+1h30m", 5_400_000_000_000),
            ("+1d", 86_400_000_000_000),
        ] as [(String, Int64)])
    func offsets(text: String, nanoseconds: Int64) {
        #expect(FixtureReader.nanoseconds(text) == nanoseconds)
    }

    @Test(arguments: ["", "+", "5", "5x", "s", "+5 s", "+99999999999d", "+999999999d"])
    func notOffsets(text: String) {
        #expect(FixtureReader.nanoseconds(text) == nil)
    }

    @Test func exceptedCasesNameTheirExceptions() throws {
        let (fixture, problems) = FixtureReader.read(
            """
            tests:
              - {excepted: one, by: a, events: [{json: '{}'}]}
              - {excepted: two, by: [a, b], events: [{json: '{}'}], findings: 2}
              - {excepted: any, events: [{json: '{}'}]}
            """, path: "a.test.yaml")
        let tests = try #require(fixture, "\(problems)").tests
        #expect(tests.map(\.kind) == [.excepted, .excepted, .excepted])
        #expect(tests.map(\.exceptions) == [["a"], ["a", "b"], []])
        #expect(tests.map(\.expected.findings) == [1, 2, 1])
    }

    @Test func everyProblemIsFoundAtOnce() {
        let (fixture, problems) = FixtureReader.read(
            """
            rules: x
            records:
              start: {a: 1}
            tests:
              - match: one
                events:
                  - record: stop
                  - {record: start, at: soon}
                  - {record: start, without: [b]}
                  - {json: '{}', fields: {a: 1}}
                steps: [5]
              - near_miss: two
                events: [{record: start}]
                findings: 2
              - events: []
              - match: three
              - match: four
                by: somebody
                events: [{record: start}]
            """, path: "a.test.yaml")
        #expect(fixture == nil)
        #expect(
            problems.map { "\($0.place.line): \($0.message)" } == [
                #"1: "rules" is not read here"#,
                #"7: there is no record "stop""#,
                #"8: "soon" is no time"#,
                "9: the record has no b",
                "10: json is the whole record: there is no fields with it",
                "11: there is no event 5; the test has 4",
                "14: a near miss has no findings, and so no findings",
                "15: a test is either a match, a near miss or an excepted match",
                "16: the test has no events",
                "18: only an excepted match is left out by something",
            ])
        #expect(problems[1].hint == "the records are start")
        #expect(problems[1].place.excerpt == "      - record: stop")
    }

    @Test(arguments: [
        ("", "1: the file is empty"), ("tests: [", ": not YAML:"),
        ("a: 1\na: 2", "\"a\" is given more than once here"),
        ("- 1", "1: a map is expected here"), ("records: {}", "1: a fixture has a list of tests"),
        ("tests: []", "1: there is no test in the list"),
    ])
    func whatIsNoFixtureSaysSo(text: String, problem: String) {
        let problems = FixtureReader.read(text, path: "a.test.yaml").problems
        #expect(problems.contains { "\($0.place.line): \($0.message)".contains(problem) }, "\(problems)")
    }
}
