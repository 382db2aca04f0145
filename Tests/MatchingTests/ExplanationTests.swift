import EQL
import EventSchema
import Matching
import TestSupport
import Testing

@Suite struct ExplanationTests {
    private struct Line: Equatable, CustomStringConvertible {
        var description: String

        init(_ test: MatchedTest) {
            let value = String(decoding: test.value, as: UTF8.self)
            let matched = test.span.map { String(decoding: test.value[$0], as: UTF8.self) }
            description = "\(test.field) \(test.operation) \(value)" + (matched.map { " [\($0)]" } ?? "")
        }
    }

    private func lines(_ text: String, _ json: String, _ mode: RegexMode = .search) throws -> [String] {
        try Bench(text, regexMode: mode).explain(json).map { Line($0).description }
    }

    @Test func theSpanIsWhatTheSearchFound() throws {
        let found = try lines(
            #"process.command_line regex~ "(?i)(Search-Mailbox|MailSniper)""#,
            #"{"process.command_line": "pwsh é -c search-mailbox -id x"}"#)
        #expect(found == ["process.command_line regex~ pwsh é -c search-mailbox -id x [search-mailbox]"])
    }

    @Test func theSpanIsInBytes() throws {
        let bench = try Bench(#"process.command_line regex "b+""#, regexMode: .search)
        #expect(try bench.explain(#"{"process.command_line": "éabbb"}"#).map(\.span) == [3..<6])
    }

    @Test func wholeValuesHaveNoSpan() throws {
        let json = #"{"process": {"name": ["x", "CMD.exe"], "pid": 7}, "custom.flag": true}"#
        #expect(try lines(#"process.name : "cmd.exe""#, json) == ["process.name : CMD.exe"])
        #expect(try lines(#"process.name like "C*""#, json) == ["process.name like CMD.exe [C]"])
        #expect(try lines(#"process.name in~ ("cmd.exe", "a")"#, json) == ["process.name in~ CMD.exe"])
        #expect(try lines("process.pid > 3", json) == ["process.pid > 7"])
        #expect(try lines("process.pid in (7, 8)", json) == ["process.pid in 7"])
        #expect(try lines("process.name != null", json) == ["process.name != null x"])
        #expect(try lines(#"custom.flag like "t*""#, json) == ["custom.flag like true"])
    }

    @Test func onlyWhatHeldIsNamed() throws {
        let text = #"(process.name == "a" and process.pid == 1) or (process.name == "b" and not process.pid == 2)"#
        #expect(try lines(text, #"{"process": {"name": "a", "pid": 1}}"#) == ["process.name == a", "process.pid == 1"])
        #expect(try lines(text, #"{"process": {"name": "b", "pid": 1}}"#) == ["process.name == b"])
        #expect(try lines(text, #"{"process": {"name": "a", "pid": 2}}"#).isEmpty)
    }

    /// Explaining one event leaves nothing behind for the next question.
    @Test func explainingDoesNotDisturb() throws {
        let bench = try Bench([#"process.name == "a" and process.name == "b""#, #"process.name == "b""#])
        let json = #"{"process.name": ["a", "b"]}"#
        for _ in 0..<3 {
            #expect(try bench.explain(json).count == 2)
            #expect(try bench.matches(json) == [0, 1])
        }
    }

    @Test(arguments: 0..<20) func explainsExactlyWhatMatches(seed: Int) throws {
        var generator = QueryGenerator(seed: UInt64(seed))
        var events = EventGenerator(seed: UInt64(seed))
        let conditions = try (0..<40).map { _ in
            let query = generator.eventQuery()
            return try #require(check(query).query, "\(query)").conditions[0]
        }
        let bench = try Bench(conditions)
        for line in events.events(30) {
            let matches = try bench.matches(line)
            for id in conditions.indices where !conditions[id].hasNegation && conditions[id] != .constant(true) {
                #expect(try bench.explain(line, id).isEmpty == !matches.contains(id), "seed \(seed): \(conditions[id])")
            }
        }
    }
}

extension Condition {
    fileprivate var hasNegation: Bool {
        switch self {
        case .constant, .test, .expression: false
        case .not: true
        case .all(let parts), .any(let parts): parts.contains(where: \.hasNegation)
        }
    }
}
