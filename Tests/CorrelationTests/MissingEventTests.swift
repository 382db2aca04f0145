import EQL
import EventSchema
import Events
import Testing

@testable import Correlation

/// When sequences with `![…]` are decided; what they decide is in the specs.
@Suite struct MissingEventTests {
    /// A machine of one stage, followed by an event that must be missing within 5 s.
    private func machine(limits: CorrelationLimits = .bounded) -> SequenceMachine {
        let stage = Timeline.stages(1)[0]
        return SequenceMachine(
            SequencePlan(
                stages: [stage], gaps: [SequencePlan.Gap(position: 1, stage: stage)], until: nil,
                maxspan: 5 * Timeline.second),
            limits: limits)
    }

    private func expire(_ machine: inout SequenceMachine, at seconds: Double) -> [String] {
        var found: [String] = []
        machine.expire(watermark: Timeline.time(seconds)) { found.append(Timeline.text($0)) }
        return found
    }

    @Test func waitsForTheEndOfTheSpan() {
        var machine = machine()
        #expect(machine.run("a.b") == [])
        #expect(expire(&machine, at: 4.999) == [])
        #expect(expire(&machine, at: 5) == ["a: 0 !"])
        #expect(expire(&machine, at: 6.999) == [])
        #expect(expire(&machine, at: 7) == ["b: 2 !"])
        #expect(expire(&machine, at: 100) == [])
        #expect(machine.counters.completed == 2)
        #expect(machine.liveKeys == 0)
    }

    @Test func anEventOfTheKeyRejectsWhatWaits() {
        var machine = machine()
        #expect(machine.run("ab.a.", ".....", expires: true) == [])
        #expect(machine.run(".....", "..a..", expires: false) == [])
        #expect(expire(&machine, at: 100) == ["b: 1 !", "a: 3 !"])
        #expect(machine.counters.rejected == 1)
        #expect(machine.counters.completed == 2)
    }

    @Test func theEndOfTheInputDecides() {
        var machine = machine()
        _ = machine.run("ab", "..b")
        var found: [String] = []
        machine.finish { found.append(Timeline.text($0)) }
        machine.finish { found.append(Timeline.text($0)) }
        #expect(found == ["a: 0 !"])
    }

    @Test func whatWaitsIsBounded() {
        var machine = machine(limits: CorrelationLimits(candidates: 2))
        _ = machine.run("aaa")
        #expect(machine.counters.evicted == 1)
        #expect(expire(&machine, at: 100) == ["a: 1 !", "a: 2 !"])
    }

    @Test func anEvictedKeyTakesWhatWaitsWithIt() {
        var machine = machine(limits: CorrelationLimits(keys: 1))
        _ = machine.run("aab")
        #expect(machine.counters.evicted == 2)
        #expect(expire(&machine, at: 100) == ["b: 2 !"])
    }

    /// What came before is remembered as long as it can matter, for keys that have nothing else.
    @Test func leadingEventsAreForgotten() {
        let stage = Timeline.stages(1)[0]
        var machine = SequenceMachine(
            SequencePlan(
                stages: [stage], gaps: [SequencePlan.Gap(position: 0, stage: stage)], until: nil,
                maxspan: 5 * Timeline.second),
            limits: .bounded)
        #expect(machine.run(".....a", "a.....") == [])
        #expect(expire(&machine, at: 5) == [])
        #expect(machine.liveKeys == 1)
        #expect(expire(&machine, at: 5.001) == [])
        #expect(machine.liveKeys == 0)
        #expect(machine.run("......a") == ["a: ! 6"])
    }

    /// A sequence without `maxspan` is as long as is remembered, and whether that has been forgotten yet is not seen.
    @Test(arguments: [false, true]) func retentionIsTheSpanOfWhatHasNone(expires: Bool) {
        let limits = CorrelationLimits(retention: 3 * Timeline.second)
        var machine = SequenceMachine(stages: 2, limits: limits)
        #expect(machine.run("a..b", "...a", expires: expires) == ["a: 0 3"])
        machine = SequenceMachine(stages: 2, limits: limits)
        #expect(machine.run("a....", "....a", expires: expires) == [])
    }
}

/// What machines tell of their partial matches.
@Suite struct TraceTests {
    private func trace(_ plan: SequencePlan, _ tracks: [String], until watermark: Double) -> [String] {
        var machine = SequenceMachine(plan, limits: CorrelationLimits(keys: 2))
        var steps: [String] = []
        let note = { (step: TraceStep) in
            let events = step.partial.map { String($0.origin.offset) }.joined(separator: " ")
            steps.append("\(step.change) \(step.stage) [\(events)]")
        }
        for hits in Timeline.hits(tracks) { machine.advance(hits, trace: note) { _ in } }
        machine.expire(watermark: Timeline.time(watermark), trace: note) { _ in }
        return steps
    }

    @Test func saysWhatBecameOfPartialMatches() {
        let stages = Timeline.stages(3)
        let plan = SequencePlan(
            stages: Array(stages[..<2]), until: stages[2], maxspan: 3 * Timeline.second)
        #expect(
            trace(plan, ["aa.a....a.", "..a....aa.", "........."], until: 100) == [
                "started 0 [0]", "overwritten 0 [0]", "started 0 [1]", "completed 1 [1 2]", "started 0 [3]",
                "tooLong(by: 1000000000) 0 [3]", "ignored 1 []", "started 0 [8]", "expired 0 [8]",
            ])
        #expect(trace(plan, ["a.", "..", ".a"], until: 0) == ["started 0 [0]", "endedByUntil 0 [0]"])
        #expect(
            trace(plan, ["abc"], until: 0) == [
                "started 0 [0]", "started 0 [1]", "evicted 0 [0]", "started 0 [2]",
            ])
    }

    @Test func saysWhatWasNotMissing() {
        let stage = Timeline.stages(1)[0]
        let plan = SequencePlan(
            stages: [stage], gaps: [SequencePlan.Gap(position: 1, stage: stage)], until: nil,
            maxspan: 5 * Timeline.second)
        #expect(
            trace(plan, ["a..b", ".a.."], until: 100) == [
                "awaiting(until: \(Timeline.time(5))) 0 [0]",
                "rejectedByMissing(gap: 0, at: \(Timeline.time(1))) 0 [0]",
                "awaiting(until: \(Timeline.time(8))) 0 [3]", "completed 0 [3]",
            ])
    }
}
