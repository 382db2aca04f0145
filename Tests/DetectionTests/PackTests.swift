import Alerts
import Detection
import EventSchema
import Events
import Rules
import Testing
import Traffic

/// The pack over generated traffic: every woven behaviour is found, and nothing else is.
@Suite struct PackTests {
    private static func plan(seed: UInt64) throws -> TrafficPlan {
        try TrafficPlan(
            seed: seed, events: 4_000, hosts: TrafficPlan.minimumHosts,
            start: EventTime(nanoseconds: 1_764_000_000_000_000_000), seconds: TrafficPlan.minimumSeconds)
    }

    /// - Parameter batch: how many records between two moves of the watermark.
    private static func findings(_ rules: RuleSet, _ plan: TrafficPlan, batch: Int = 100) throws -> [Finding] {
        let lane = try Lane(rules)
        var findings: [Finding] = []
        for (place, event) in TrafficGenerator(plan: plan).enumerated() {
            lane.send(event.bytes)
            if place % batch == 0 { findings += lane.findings() }
        }
        return findings + lane.finish()
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func findsExactlyWhatIsExpected(seed: UInt64) throws {
        let plan = try Self.plan(seed: seed)
        let findings = try Self.findings(try Pack.load(), plan)

        let seeds = findings.filter { $0.rule.id == Pack.seedID }.map(\.offsets)
        let expectedSeeds = plan.expectedFindings.filter { $0.rule == .seed }.map { $0.events.map(Int64.init) }
        #expect(seeds == expectedSeeds.sorted { $0.lexicographicallyPrecedes($1) })

        let correlations = findings.filter { $0.rule.id == Pack.correlationID }
        let expected = plan.expectedFindings.filter { $0.rule == .correlation }
        #expect(correlations.count == expected.count)
        for one in expected {
            let made = correlations.filter { finding in
                finding.joinKeys == [one.hostKey] && Set(one.events.map(Int64.init)).isSubset(of: finding.offsets)
            }
            #expect(made.count == 1, "\(one)")
        }
        #expect(findings.count == plan.expectedFindings.count)
        #expect(findings.allSatisfy { !$0.isLate })
    }

    /// The same records give the same ids, however they are cut into batches.
    @Test func replayGivesTheSameIDs() throws {
        let plan = try Self.plan(seed: 6)
        let rules = try Pack.load()
        let first = try Self.findings(rules, plan).map(\.id)
        #expect(try Self.findings(rules, plan).map(\.id) == first)
        #expect(try Self.findings(rules, plan, batch: 1).map(\.id) == first)
        #expect(Set(first).count == first.count)
        #expect(first.count == plan.expectedFindings.count)
    }

    @Test func shadowRulesAreCountedAndMarked() throws {
        let plan = try Self.plan(seed: 7)
        let lane = try Lane(try Pack.loadWithSeedInShadow())
        for event in TrafficGenerator(plan: plan) { lane.send(event.bytes) }
        let findings = lane.finish()
        let shadow = findings.filter { $0.rule.stage == .shadow }
        #expect(!shadow.isEmpty && shadow.allSatisfy { $0.rule.id == Pack.seedID })
        #expect(findings.contains { $0.rule.id == Pack.correlationID && $0.rule.stage == .active })

        let counters = lane.detector.detectionCounters
        #expect(shadow.count == plan.expectedFindings.count { $0.rule == .seed })
        #expect(counters.shadowed == UInt64(shadow.count))
        #expect(counters.findings.reduce(0, +) == UInt64(findings.count), "shadow rules count like any other")
    }
}
