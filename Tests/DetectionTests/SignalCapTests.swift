import Detection
import Rules
import Testing

/// `max_signals` holds nothing back, and is counted.
@Suite struct SignalCapTests {
    private func lane(_ keys: String) throws -> Lane {
        try Lane(RuleSet([try rule("any where true", keys: keys), try rule("any where true", id: "other")]))
    }

    private func send(_ lane: Lane, at seconds: [Int]) -> Int {
        for second in seconds { lane.send(#"{"@timestamp":\#(second * 1_000)}"#) }
        return lane.findings().count
    }

    @Test func everyFindingIsAnAlertAndThoseBeyondTheCapAreCounted() throws {
        let lane = try lane("max_signals = 2\ninterval = \"1m\"")
        #expect(send(lane, at: [0, 1, 2, 59]) == 8)
        #expect(lane.detector.detectionCounters.beyondSignalCap == [2, 0])
    }

    @Test func everyIntervalCountsAnew() throws {
        let lane = try lane("max_signals = 2\ninterval = \"1m\"")
        #expect(send(lane, at: [0, 1, 60, 61, 120]) == 10)
        #expect(lane.detector.detectionCounters.beyondSignalCap == [0, 0])
    }

    /// It is found by the run after it.
    @Test func anEventThatComesLateCountsForTheNewestInterval() throws {
        let lane = try lane("max_signals = 2\ninterval = \"1m\"")
        _ = send(lane, at: [0, 60, 61, 1, 62])
        #expect(lane.detector.detectionCounters.beyondSignalCap == [2, 0])
    }
}
