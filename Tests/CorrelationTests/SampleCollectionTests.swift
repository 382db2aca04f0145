import EQL
import Testing

@testable import Correlation

@Suite struct SampleCollectionTests {
    private func run(_ tracks: String..., samplesPerKey: Int) -> [String] {
        var collection = SampleCollection(
            SamplePlan(stages: Timeline.stages(tracks.count), maxspan: nil), samplesPerKey: samplesPerKey)
        for hits in Timeline.hits(tracks) { collection.collect(hits) }
        var found: [String] = []
        collection.finish { found.append(Timeline.text($0)) }
        #expect(collection.counters.completed == UInt64(found.count))
        return found
    }

    @Test func samplesOfAKeyMayShareEvents() {
        #expect(run("ab.a.", "..a.a", samplesPerKey: 1) == ["a: 0 2"])
        #expect(run("ab.a.", "..a.a", samplesPerKey: 3) == ["a: 0 2", "a: 0 4", "a: 3 2"])
        #expect(run("ab.a.", "..a.a", samplesPerKey: 9) == ["a: 0 2", "a: 0 4", "a: 3 2", "a: 3 4"])
    }

    @Test func eventsOfASampleAreDistinct() {
        #expect(run("aaa", "aaa", "..a", samplesPerKey: 9) == ["a: 0 1 2", "a: 1 0 2"])
    }
}
