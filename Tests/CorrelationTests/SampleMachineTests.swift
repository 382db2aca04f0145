import EQL
import EventSchema
import Events
import Testing

@testable import Correlation

@Suite struct SampleMachineTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var stages: [String]
        var seconds: Int64?
        var found: [String]

        init(_ name: String, _ stages: String..., seconds: Int64? = nil, found: String...) {
            self.name = name
            self.stages = stages
            self.seconds = seconds
            self.found = found
        }

        var testDescription: String { name }
    }

    static let cases = [
        Case("in order", "a.", ".a", found: "a: 0 1"),
        Case("in the other order", ".a", "a.", found: "a: 1 0"),
        Case("keys apart", "a.", ".b"),
        Case("one event is not two", "a", "a"),
        Case("one event in two stages waits for another", "aa", "a.", found: "a: 1 0"),
        Case("each event once", "a.a", ".a.", found: "a: 0 1"),
        Case("newest first", "aa..", "..aa", found: "a: 1 2", "a: 0 3"),
        Case("three stages", "..a", "a..", ".a.", found: "a: 2 0 1"),
        Case("the window includes its end", "a...", "...a", seconds: 3, found: "a: 0 3"),
        Case("the window is exceeded", "a....", "....a", seconds: 3),
        Case("no two further apart than the window", "a....", "..a..", "....a", seconds: 3),
        Case("the choice for one stage leaves enough for the others", "aa.", ".a.", "..a", found: "a: 0 1 2"),
    ]

    @Test(arguments: cases, [false, true])
    func timeline(_ line: Case, expires: Bool) {
        var machine = SampleMachine(stages: line.stages.count, seconds: line.seconds)
        let found = Timeline.hits(line.stages).flatMap { hits in
            defer { if expires { machine.expire(watermark: hits.event.timestamp) } }
            return machine.take(hits)
        }
        #expect(found == line.found)
        #expect(machine.counters.completed == UInt64(line.found.count))
    }

    /// Ten connections near one process start are one finding.
    @Test func manyPartnersAreOneSample() {
        var machine = SampleMachine(stages: 2, seconds: 60)
        #expect(machine.run(".....a.....", "aaaaa.aaaaa") == ["a: 5 4"])
    }

    /// What comes late is taken by its time, not by its arrival.
    @Test func lateEventsStandInTimeOrder() {
        var machine = SampleMachine(stages: 2, seconds: 60)
        let key = [Timeline.key("a")]
        _ = machine.take(StageHits(event: Timeline.event(5), stages: [(0, key)]))
        _ = machine.take(StageHits(event: Timeline.event(2), stages: [(0, key)]))
        #expect(machine.take(StageHits(event: Timeline.event(6), stages: [(1, key)])) == ["a: 5 6"])
        #expect(machine.take(StageHits(event: Timeline.event(1), stages: [(1, key)])) == ["a: 2 1"])
    }

    @Test func theOldestOfAStageIsDropped() {
        let limits = CorrelationLimits(keys: .max, eventsPerStage: 2, retention: .max)
        var machine = SampleMachine(stages: 2, limits: limits)
        #expect(machine.run("aaa...", "...aaa") == ["a: 2 3", "a: 1 4"])
        #expect(machine.counters.overwritten == 1)
    }

    @Test func theKeyKnownLongestIsEvicted() {
        let limits = CorrelationLimits(keys: 2, eventsPerStage: 8, retention: .max)
        var machine = SampleMachine(stages: 2, limits: limits)
        #expect(machine.run("abc..", "...bc") == ["b: 1 3", "c: 2 4"])
        #expect(machine.counters.evicted == 1)
    }

    @Test func expiryIsNeverEarly() {
        var machine = SampleMachine(stages: 2, seconds: 4)
        _ = machine.run("aa...")
        machine.expire(watermark: Timeline.time(4))
        #expect(machine.counters.expired == 0)
        machine.expire(watermark: Timeline.time(5))
        #expect(machine.counters.expired == 1, "the event at 0 s only")
        #expect(machine.liveKeys == 1)
        machine.expire(watermark: Timeline.time(6))
        #expect(machine.liveKeys == 0)
    }
}
