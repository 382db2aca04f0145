import Alerts
import Correlation
import Detection
import EQL
import EventSchema
import Events
import Rules
import TestSupport
import Testing

/// State that outlives the detector.
@Suite struct StateTests {
    /// Rules, events in disorder, some of them late, in batches over partitions of which some are idle.
    private struct Scenario {
        let rules: CompiledRules
        let options: EvaluatorOptions
        let partitions: Int32
        let longestValue: Int
        var batches: [DurableLane.Batch] = []

        init(seed: Int) throws {
            var random = SeededRandom(seed: UInt64(seed))
            var generator = QueryGenerator(seed: UInt64(seed))
            var set: [Rule] = []
            var number = 0
            while set.count < 12 {
                number += 1
                let query =
                    switch random.below(8) {
                    case 0: generator.eventQuery()
                    case 1, 2, 3: generator.sequenceQuery()
                    case 4, 5: generator.gapSequenceQuery()
                    default: generator.sampleQuery()
                    }
                // Samples without a window are not for streams.
                guard QueryReader(.stream).read(SourceText(query.description)).query != nil else { continue }
                let ownTime = random.oneIn(4) ? "timestamp_field = \"event.created\"" : ""
                let suppression =
                    random.oneIn(4)
                    ? "[rule.alert_suppression]\ngroup_by = [\"user.name\"]\nduration = { value = 7, unit = \"s\" }"
                    : ""
                set.append(
                    try rule(
                        query.description, id: "rule-\(number)", keys: ownTime, tables: suppression))
            }
            rules = try CompiledRules(RuleSet(set))
            // Small enough to be reached; what is evicted must be the same, too.
            let limits =
                random.oneIn(2)
                ? CorrelationLimits(
                    keys: 1 + random.below(4), eventsPerStage: 1 + random.below(3), bytes: 300 + random.below(4000),
                    candidates: 1 + random.below(6), candidatesPerKey: 1 + random.below(3),
                    retention: 15_000_000_000)
                : CorrelationLimits(retention: 15_000_000_000)
            options = EvaluatorOptions(
                ordering: .stream(lateness: Int64(random.below(6)) * 1_000_000_000), correlationLimits: limits,
                futureTolerance: .max)
            partitions = Int32(1 + random.below(3))
            longestValue = random.oneIn(3) ? 64 : 512 << 10
            var events = EventGenerator(seed: ~UInt64(seed))
            var arrivals = events.events(150).enumerated().map { place, json in
                // Most within five seconds of their turn, some far out.
                (turn: place + random.below(random.oneIn(12) ? 60 : 4), json: json)
            }
            arrivals.sort { $0.turn < $1.turn }
            var waiting = arrivals.map(\.json)[...]
            while !waiting.isEmpty {
                let count = 1 + random.below(8)
                batches.append(
                    DurableLane.Batch(
                        inputs: waiting.prefix(count).map { json in
                            DurableLane.Input(
                                partition: Int32(random.below(Int(partitions))), json: Array(json.utf8))
                        },
                        idle: random.oneIn(5) ? [Int32(random.below(Int(partitions)))] : []))
                waiting = waiting.dropFirst(count)
            }
        }

        func makeLane(isTracked: Bool = true) -> DurableLane {
            DurableLane(
                rules, options: options, partitions: partitions, longestValue: longestValue, isTracked: isTracked)
        }

        func uninterrupted() -> [String] {
            let lane = makeLane(isTracked: false)
            for batch in batches { lane.run(batch) }
            lane.finish()
            return lane.alerts.map(\.text)
        }
    }

    @Test(arguments: 0..<60) func aCrashAnywhereDoesNotShow(seed: Int) throws {
        let scenario = try Scenario(seed: seed)
        var random = SeededRandom(seed: UInt64(seed) &+ 77)
        let lane = scenario.makeLane()
        var next = 0
        var checkpointed = 0
        var crashes = 0
        while next < scenario.batches.count {
            lane.run(scenario.batches[next])
            next += 1
            if random.oneIn(3) {
                try lane.checkpoint()
                checkpointed = next
                if random.oneIn(4) { lane.compact() }
            }
            guard random.oneIn(4), crashes < 40 else { continue }
            crashes += 1
            if random.oneIn(2) { try lane.tear { random.below($0 + 1) } }
            try lane.crash(generation: Int32(crashes))
            next = checkpointed
        }
        lane.finish()
        #expect(crashes > 0)
        #expect(lane.alerts.map(\.text) == scenario.uninterrupted(), "seed \(seed)")
    }

    @Test(arguments: 100..<130) func nothingIsLeftBehind(seed: Int) throws {
        let scenario = try Scenario(seed: seed)
        let lane = scenario.makeLane()
        for batch in scenario.batches {
            lane.run(batch)
            try lane.checkpoint()
        }
        // The distant events may match themselves: what they leave is what they leave in a lane that saw nothing else.
        let untouched = scenario.makeLane()
        for lane in [lane, untouched] {
            for time in [1_900_000_000_000, 1_990_000_000_000] {
                let json = #"{"@timestamp":\#(time),"event.created":\#(time),"event.category":"none"}"#
                lane.run(
                    DurableLane.Batch(
                        inputs: (0..<scenario.partitions).map {
                            DurableLane.Input(partition: $0, json: Array(json.utf8))
                        }))
            }
            lane.run(DurableLane.Batch(inputs: []))
            try lane.checkpoint()
            lane.compact()
        }
        #expect(lane.detector.liveKeys == untouched.detector.liveKeys)
        #expect(lane.detector.heldBytes == untouched.detector.heldBytes)
        #expect(lane.stateTopic.count == untouched.stateTopic.count)
    }
}
