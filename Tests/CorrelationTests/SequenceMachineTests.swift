import EQL
import EventSchema
import Events
import Testing

@testable import Correlation

/// The slots as time lines. Each is run with the watermark far away and with it close behind: expiry may
/// never take what could still complete.
@Suite struct SequenceMachineTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var stages: [String]
        var until: String?
        var seconds: Int64?
        var found: [String]

        init(_ name: String, _ stages: String..., until: String? = nil, seconds: Int64? = nil, found: String...) {
            self.name = name
            self.stages = stages
            self.until = until
            self.seconds = seconds
            self.found = found
        }

        var testDescription: String { name }
    }

    static let cases = [
        Case("two stages", "a.", ".a", found: "a: 0 1"),
        Case("wrong order", ".a", "a."),
        Case("newest predecessor wins", "aa.", "..a", found: "a: 1 2"),
        Case("an advanced partial leaves its slot", "a..", ".aa", found: "a: 0 1"),
        Case("one event ends one and begins another", "aaa", "aaa", found: "a: 0 1", "a: 1 2"),
        Case("one event does not fill two stages", "a", "a"),
        Case("keys apart", "ab..", "..ba", found: "b: 1 2", "a: 0 3"),
        Case("overwritten in the middle", "a.a...", ".a.a..", "....aa", found: "a: 2 3 4"),
        Case("a later start does not disturb an advanced one", "a.a.", ".a..", "...a", found: "a: 0 1 3"),
        Case("two partials of one key at different stages", "a.a..", ".a..a", "...a.", found: "a: 0 1 3"),
        Case("runs: the newest", "aaa.", "aaa.", "...a", found: "a: 1 2 3"),
        Case("maxspan includes its end", "a....", "....a", seconds: 4, found: "a: 0 4"),
        Case("maxspan is exceeded", "a.....", ".....a", seconds: 4),
        Case("maxspan counts from the first", "a.....", "..a...", "....a.", seconds: 3),
        Case("too old is used up", "a.....", ".....a", ".....a", seconds: 4),
        Case("a new start after one that is too old", "a....a.", "......a", seconds: 4, found: "a: 5 6"),
        Case("until ends", "a..", "..a", until: ".a."),
        Case("until of another key", "a..", "..a", until: ".b.", found: "a: 0 2"),
        Case("until at the completing event", "a.", ".a", until: ".a", found: "a: 0 1"),
        Case("until at the starting event", "a.", ".a", until: "a."),
        Case("until ends every stage of its key", "a.a...", ".a..a.", "....aa", until: "...a.."),
        Case("begun anew after until", "a.a.", "...a", until: ".a..", found: "a: 2 3"),
    ]

    @Test(arguments: cases, [false, true])
    func timeline(_ line: Case, expires: Bool) {
        var machine = SequenceMachine(
            stages: line.stages.count, hasUntil: line.until != nil, seconds: line.seconds)
        let found = Timeline.hits(line.stages + (line.until.map { [$0] } ?? [])).flatMap { hits in
            defer { if expires { machine.expire(watermark: hits.event.timestamp) { _ in } } }
            return machine.take(hits)
        }
        #expect(found == line.found)
        #expect(machine.counters.completed == UInt64(line.found.count))
    }

    /// An event with an array in its key field goes on under each of its values.
    @Test func fanOut() {
        var machine = SequenceMachine(stages: 2)
        let both = [Timeline.key("a"), Timeline.key("b")]
        #expect(machine.take(StageHits(event: Timeline.event(0), stages: [(0, both)])).isEmpty)
        #expect(machine.take(StageHits(event: Timeline.event(1), stages: [(1, [both[1]])])) == ["b: 0 1"])
        #expect(machine.take(StageHits(event: Timeline.event(2), stages: [(1, both)])) == ["a: 0 2"])
    }

    /// The null group of `?key`.
    @Test func missingKeysJoin() {
        var machine = SequenceMachine(stages: 2)
        let missing = CorrelationKey([.missing])
        _ = machine.take(StageHits(event: Timeline.event(0), stages: [(0, [missing])]))
        _ = machine.take(StageHits(event: Timeline.event(1), stages: [(0, [Timeline.key("a")])]))
        #expect(machine.take(StageHits(event: Timeline.event(2), stages: [(1, [missing])])) == ["null: 0 2"])
    }

    @Test func countsWhatIsLost() {
        var machine = SequenceMachine(stages: 2, hasUntil: true, seconds: 4)
        _ = machine.run("aabc........", "..........c.", "...a........")
        #expect(machine.counters.overwritten == 1)
        #expect(machine.counters.ended == 1)
        #expect(machine.counters.expired == 1, "c was too old when it went on")
        machine.expire(watermark: Timeline.time(100)) { _ in }
        #expect(machine.counters.expired == 2, "b never went on")
        #expect(machine.liveKeys == 0)
    }

    @Test func expiryIsNeverEarly() {
        var machine = SequenceMachine(stages: 2, seconds: 4)
        _ = machine.run("a....")
        machine.expire(watermark: Timeline.time(4)) { _ in }
        #expect(machine.liveKeys == 1, "an event at 4 s may still complete it")
        machine.expire(watermark: EventTime(nanoseconds: 4 * Timeline.second + 1)) { _ in }
        #expect(machine.liveKeys == 0)
        #expect(machine.counters.expired == 1)
    }

    /// A state whose first partial has gone on stays as long as its newest one may.
    @Test func expiryLooksAtEverySlot() {
        var machine = SequenceMachine(stages: 2, seconds: 4)
        _ = machine.run("a..a..")
        machine.expire(watermark: Timeline.time(6)) { _ in }
        #expect(machine.liveKeys == 1)
        #expect(machine.take(StageHits(event: Timeline.event(7), stages: [(1, [Timeline.key("a")])])) == ["a: 3 7"])
    }

    @Test func withoutMaxspanTheRetentionHolds() {
        let limits = CorrelationLimits(keys: .max, eventsPerStage: .max, retention: 10 * Timeline.second)
        var machine = SequenceMachine(stages: 2, limits: limits)
        _ = machine.run("a..")
        machine.expire(watermark: Timeline.time(10)) { _ in }
        #expect(machine.liveKeys == 1)
        machine.expire(watermark: Timeline.time(11)) { _ in }
        #expect(machine.liveKeys == 0)
    }

    @Test func theKeyKnownLongestIsEvicted() {
        let limits = CorrelationLimits(keys: 2, eventsPerStage: 8, retention: .max)
        var machine = SequenceMachine(stages: 2, limits: limits)
        #expect(machine.run("abac....", "....abc.") == ["b: 1 5", "c: 3 6"])
        #expect(machine.counters.evicted == 1)
        #expect(machine.liveKeys <= 2)
    }
}
