import EQL
import TestSupport
import Testing

/// What is generated must be worth running: queries that match some events and not all.
@Suite struct GeneratorTests {
    @Test func sameSeedGivesTheSame() {
        var one = QueryGenerator(seed: 3)
        var other = QueryGenerator(seed: 3)
        #expect((0..<50).map { _ in one.sequenceQuery() } == (0..<50).map { _ in other.sequenceQuery() })
        var events = EventGenerator(seed: 3)
        var others = EventGenerator(seed: 3)
        #expect(events.events(50) == others.events(50))
    }

    @Test func everyEventIsAnObject() {
        var events = EventGenerator(seed: 4)
        for line in events.events(500) {
            guard case .object? = JSONValue(parsing: line) else {
                Issue.record("not an object: \(line)")
                continue
            }
        }
    }

    @Test func everyQueryPassesTheChecker() {
        var queries = QueryGenerator(seed: 7)
        for _ in 0..<300 {
            for query in [queries.eventQuery(), queries.sequenceQuery(), queries.sampleQuery()] {
                let errors = check(query).diagnostics.filter { $0.severity == .error }
                #expect(errors.isEmpty, "\(errors.map(\.message)) in \(query)")
            }
        }
    }

    @Test(arguments: [false, true]) func halfOfTheEventQueriesDecide(computes: Bool) {
        var queries = QueryGenerator(seed: 5)
        queries.computes = computes
        var events = EventGenerator(seed: 5)
        let lines = events.events(100)
        let decisive = (0..<100).count { _ in
            let matches = NaiveEngine().run(queries.eventQuery(), on: lines).count
            return matches > 0 && matches < lines.count
        }
        #expect(decisive >= 50, "\(decisive) of 100")
    }

    @Test func correlationsComplete() {
        var queries = QueryGenerator(seed: 6)
        var events = EventGenerator(seed: 6)
        let lines = events.events(100)
        let sequences = (0..<60).count { _ in !NaiveEngine().run(queries.sequenceQuery(), on: lines).isEmpty }
        let samples = (0..<60).count { _ in !NaiveEngine().run(queries.sampleQuery(), on: lines).isEmpty }
        #expect(sequences >= 12, "\(sequences) of 60")
        #expect(samples >= 12, "\(samples) of 60")
    }
}
