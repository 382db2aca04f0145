import Alerts
import Correlation
import Detection
import EventSchema
import Events
import Rules
import Testing

/// Late events, wrong clocks and records without a time.
@Suite struct EventTimeTests {
    private static let sequence = """
        sequence by host.id with maxspan=5m
          [process where event.action == "a"]
          [process where event.action == "b"]
        """

    private static func event(_ action: String, at seconds: Double?, host: String = "h") -> String {
        let time = seconds.map { #""@timestamp":\#(Int64($0 * 1_000)),"# } ?? ""
        return #"{\#(time)"event":{"category":"process","action":"\#(action)"},"host":{"id":"\#(host)"}}"#
    }

    private func lane(lateness: Int64 = 2, limits: CorrelationLimits = CorrelationLimits()) throws -> Lane {
        try Lane(RuleSet([try rule(Self.sequence)]), lateness: lateness, limits: limits)
    }

    @Test func disorderWithinTheLatenessDoesNotShow() throws {
        let lane = try lane()
        lane.send(Self.event("b", at: 11))
        lane.send(Self.event("a", at: 10))
        #expect(lane.findings().isEmpty, "both still wait")
        lane.send(Self.event("other", at: 14))
        let findings = lane.findings()
        #expect(findings.map(\.offsets) == [[1, 0]])
        #expect(findings.allSatisfy { !$0.isLate })
        #expect(lane.detector.counters.late == 0)
    }

    @Test func lateEventsTakePartAndSaySo() throws {
        let lane = try lane()
        lane.send(Self.event("a", at: 10))
        lane.send(Self.event("other", at: 100))
        #expect(lane.findings().isEmpty)
        #expect(lane.detector.watermark == EventTime(milliseconds: 98_000 as Int64))
        lane.send(Self.event("b", at: 40))
        let findings = lane.findings()
        #expect(findings.map(\.offsets) == [[0, 2]])
        #expect(findings.map(\.isLate) == [true])
        #expect(lane.detector.counters.late == 1)
    }

    @Test func theOldestHeldRecordIsKnown() throws {
        let lane = try lane()
        let topic = TopicID(rawValue: 0)
        lane.send(Self.event("other", at: 9))
        lane.send(Self.event("a", at: 10))
        lane.send(Self.event("b", at: 11))
        _ = lane.findings()
        #expect(lane.detector.oldestHeldOffset(topic: topic, partition: 0) == 1)
        #expect(lane.detector.oldestHeldOffset(topic: topic, partition: 1) == nil)
        lane.send(Self.event("other", at: 12.5))
        _ = lane.findings()
        #expect(lane.detector.oldestHeldOffset(topic: topic, partition: 0) == 2)
        #expect(lane.finish().map(\.offsets) == [[1, 2]])
        #expect(lane.detector.oldestHeldOffset(topic: topic, partition: 0) == nil)
    }

    @Test func anIdlePartitionReleasesWhatItHolds() throws {
        let lane = try lane()
        lane.send(Self.event("a", at: 10))
        lane.send(Self.event("b", at: 11))
        #expect(lane.findings().isEmpty)
        lane.detector.setIdle(lane.source)
        #expect(lane.findings().map(\.offsets) == [[0, 1]])
    }

    /// One host whose clock runs a day ahead must not make all others late.
    @Test func aWrongClockDoesNotMakeOthersLate() throws {
        let lane = try lane()
        func send(_ action: String, at seconds: Double, host: String = "h", received: Int64) {
            lane.send(
                Self.event(action, at: seconds, host: host), recordTime: EventTime(milliseconds: received * 1_000))
        }
        send("a", at: 1_000, received: 1_000)
        send("a", at: 87_400, host: "wrong", received: 1_001)
        #expect(lane.findings().isEmpty)
        let watermark = try #require(lane.detector.watermark)
        #expect(watermark <= EventTime(nanoseconds: (1_001 + 300 - 2) * Lane.second))

        send("b", at: 87_401, host: "wrong", received: 1_002)
        send("b", at: 1_300, received: 1_300)
        send("other", at: 1_700, received: 1_700)
        let findings = lane.findings()
        #expect(
            findings.map(\.offsets) == [[1, 2], [0, 3]],
            "no watermark passes the wrong clock's events for a day: they take part as they come")
        #expect(lane.detector.counters.ahead == 2)
        #expect(findings.allSatisfy { !$0.isLate })
        #expect(lane.detector.counters.late == 0)
        #expect(lane.finish().isEmpty)
    }

    @Test func recordsWithoutATimeTakeThatOfTheLog() throws {
        let lane = try lane()
        let first = EventTime(milliseconds: 10_000 as Int64)
        lane.send(Self.event("a", at: nil), recordTime: first)
        lane.send(Self.event("b", at: nil), recordTime: EventTime(milliseconds: 11_000 as Int64))
        let findings = lane.finish()
        #expect(findings.map(\.offsets) == [[0, 1]])
        #expect(findings.first?.evidence.first?.timestamp == first)
        #expect(lane.detector.counters.withoutTimestamp == 2)
    }

    @Test func recordsThatAreNoEventsAreCounted() throws {
        let lane = try lane()
        #expect(lane.send("not json") != nil)
        #expect(lane.send("[1]") != nil)
        lane.send(Self.event("a", at: 1))
        #expect(lane.detector.counters.records == 3)
        #expect(lane.detector.counters.rejected.values.reduce(0, +) == 2)
        #expect(lane.detector.counters.matched == 1)
    }

    /// What nobody will complete is forgotten.
    @Test func stateOfPassedWindowsIsForgotten() throws {
        let lane = try lane()
        for number in 0..<500 {
            lane.send(Self.event("a", at: Double(number), host: "h\(number)"))
            _ = lane.findings()
        }
        #expect(lane.detector.liveKeys <= 302, "five minutes of keys")
        #expect(lane.detector.detectionCounters.correlation.expired >= 190)
    }

    @Test func theNumberOfKeysIsBounded() throws {
        let lane = try lane(limits: CorrelationLimits(keys: 10, eventsPerStage: 8, retention: .max))
        for number in 0..<50 { lane.send(Self.event("a", at: Double(number), host: "h\(number)")) }
        #expect(lane.finish().isEmpty)
        #expect(lane.detector.liveKeys == 10)
        #expect(lane.detector.detectionCounters.correlation.evicted == 40)
    }
}
