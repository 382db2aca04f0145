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
        let gate = try #require(Gate.cover(try condition(#"event.category == "process" and process.name == "a""#)))
        #expect(gate.tests.map(\.field) == ["process.name"])
    }

    @Test func aDisjunctionIsCoveredByAllItsParts() throws {
        let gate = try #require(Gate.cover(try condition(#"process.name == "a" or destination.port == 1"#)))
        #expect(gate.tests.map(\.field) == ["process.name", "destination.port"])
    }

    @Test(arguments: [
        #"not process.name == "a""#, #"process.name == "a" or not process.pid == 1"#, "true", "process.name == null",
        "length(f) == null", "not length(f) == 1",
    ])
    func whatHoldsForAnEmptyEventHasNoCover(text: String) throws {
        #expect(Gate.cover(try condition(text)) == nil)
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
