import EQL
import EventSchema
import TestSupport
import Testing

@testable import Matching

/// Gates may only save work: they never lose a match.
@Suite struct GateTests {
    private func conditions(seed: Int, count: Int) throws -> [Condition] {
        var generator = QueryGenerator(seed: UInt64(seed))
        return try (0..<count).map { _ in
            generator.computes = generator.random.oneIn(3)
            let query = generator.eventQuery()
            return try #require(check(query).query, "\(query)").conditions[0]
        }
    }

    @Test(arguments: 0..<40) func manyConditionsTogetherMatchAsEachHolds(seed: Int) throws {
        let bench = try Bench(try conditions(seed: seed, count: 80))
        var events = EventGenerator(seed: UInt64(seed))
        for line in events.events(60) {
            #expect(try bench.matches(line) == bench.holding(line), "seed \(seed): \(line)")
        }
    }

    /// What shares predicates with 79 others answers as it does alone.
    @Test(arguments: 100..<105) func sharingChangesNothing(seed: Int) throws {
        let conditions = try conditions(seed: seed, count: 40)
        let together = try Bench(conditions)
        let alone = try conditions.map { try Bench([$0]) }
        var events = EventGenerator(seed: UInt64(seed))
        for line in events.events(40) {
            let each = try alone.indices.filter { try !alone[$0].matches(line).isEmpty }
            #expect(try together.matches(line) == each, "seed \(seed): \(line)")
        }
    }

    @Test func aConjunctionIsCoveredByItsRarestPart() throws {
        let bench = try Bench(#"event.category == "process" and process.name == "a""#)
        #expect(bench.gates == [#"process.name == "a""#])
    }

    @Test func aDisjunctionIsCoveredByAllItsParts() throws {
        let bench = try Bench(#"process.name == "a" or destination.port == 1"#)
        #expect(bench.gates == ["destination.port == 1", #"process.name == "a""#])
    }

    /// Which part is the rarest is seen in the events, and seen again when they change.
    @Test func gatesFollowTheEvents() throws {
        let bench = try Bench([#"process.name == "a" and user.name == "b""#], sampling: .frequent)
        for (line, gate) in [
            (#"{"process.name": "a", "user.name": "c"}"#, #"user.name == "b""#),
            (#"{"process.name": "d", "user.name": "b"}"#, #"process.name == "a""#),
        ] {
            for _ in 0..<2_000 { #expect(try bench.matches(line).isEmpty) }
            #expect(bench.gates == [gate])
        }
        #expect(try bench.matches(#"{"process.name": "a", "user.name": "b"}"#) == [0])
    }

    /// A scan for one rule alone costs more than a few visits in vain.
    @Test func aScanHasToPayOff() throws {
        let text = #"process.name == "a" and process.command_line : "*secret*""#
        let line = #"{"process": {"name": "a", "command_line": "nothing"}}"#
        let one = try Bench([text], sampling: .frequent)
        let many = try Bench(
            (0..<50).map { #"process.name == "a" and process.command_line : "*secret\#($0)*""# }, sampling: .frequent)
        for _ in 0..<500 {
            #expect(try one.matches(line).isEmpty)
            #expect(try many.matches(line).isEmpty)
        }
        #expect(one.gates == [#"process.name == "a""#])
        #expect(many.gates.count == 50)
        #expect(many.gates.allSatisfy { $0.contains("command_line") })
    }

    /// Whatever gates are chosen, and however often: what is found is what the naive engine finds.
    @Test(arguments: 200..<230) func choicesChangeNothing(seed: Int) throws {
        var queries = QueryGenerator(seed: UInt64(seed))
        let generated = (0..<60).map { _ in
            queries.computes = queries.random.oneIn(4)
            return queries.eventQuery()
        }
        let conditions = try generated.map { query in
            try #require(check(query).query, "\(query)").conditions[0]
        }
        let often = try Bench(conditions, sampling: .frequent)
        let never = try Bench(conditions)
        var generator = EventGenerator(seed: UInt64(seed))
        let lines = generator.events(80)
        let expected = NaiveEngine().run(generated, on: lines)
        var choices: Set<[String]> = []
        for (place, line) in lines.enumerated() {
            choices.insert(often.gates)
            let found = try often.matches(line)
            #expect(found == generated.indices.filter { expected[$0].contains(.event(place)) }, "seed \(seed): \(line)")
            #expect(try never.matches(line) == found, "seed \(seed): \(line)")
        }
        #expect(choices.count > 1, "seed \(seed)")
    }

    @Test(arguments: [
        #"not process.name == "a""#, #"process.name == "a" or not process.pid == 1"#, "true", "process.name == null",
        "length(f) == null", "not length(f) == 1",
    ])
    func whatHoldsForAnEmptyEventHasNoCover(text: String) throws {
        #expect(Gate(try condition(text)) == nil)
        #expect(try Bench(text).matches("{}") == [0])
    }

    @Test func equalPredicatesAreOne() throws {
        let bench = try Bench([
            #"process.name == "a" and process.pid == 1"#, #"process.name == "a" and process.pid == 2"#,
            #"not process.name == "a""#,
        ])
        #expect(bench.matcher.program.predicates.count == 3)
        #expect(try bench.matches(#"{"process": {"name": "a", "pid": [1, 2]}}"#) == [0, 1])
        #expect(try bench.matches(#"{"process": {"name": "b", "pid": [1, 2]}}"#) == [2])
    }

    /// More predicates on one field than a word has bits.
    @Test func aGroupOfSeveralWords() throws {
        let bench = try Bench((0..<200).map { "process.pid == \($0)" } + ["process.pid > 198", "process.name == null"])
        #expect(try bench.matches(#"{"process.pid": [0, 63, 64, 199]}"#) == [0, 63, 64, 199, 200, 201])
        #expect(try bench.matches(#"{"process": {"pid": 128, "name": "x"}}"#) == [128])
        #expect(try bench.matches(#"{"process": {"name": "x"}}"#).isEmpty)
    }
}

extension GateSampling {
    /// So that a handful of events leads to new gates.
    fileprivate static let frequent = GateSampling(firstInterval: 1, longestInterval: 2, samplesPerChoice: 3)
}

extension Bench {
    /// The tests that lead to conditions at the moment.
    fileprivate var gates: [String] {
        matcher.program.predicates.filter { !matcher.gates.conditions(behind: Int($0.value.bit)).isEmpty }
            .map(\.key.description).sorted()
    }
}
