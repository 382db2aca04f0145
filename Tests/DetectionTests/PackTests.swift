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
            seed: seed, events: 3_000, hosts: TrafficPlan.minimumHosts,
            start: EventTime(nanoseconds: 1_764_000_000_000_000_000), seconds: TrafficPlan.minimumSeconds)
    }

    /// - Parameter batch: how many records between two moves of the watermark.
    private static func findings(_ rules: RuleSet, _ plan: TrafficPlan, batch: Int = 100) throws -> [Finding] {
        let lane = try Pack.lane(rules)
        var findings: [Finding] = []
        for (place, event) in TrafficGenerator(plan: plan).enumerated() {
            lane.send(event.bytes)
            if place % batch == 0 { findings += lane.findings() }
        }
        return findings + lane.finish()
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func findsExactlyWhatIsExpected(seed: UInt64) throws {
        let plan = try Self.plan(seed: seed)
        var unclaimed = try Self.findings(try Pack.load(), plan)
        #expect(unclaimed.allSatisfy { !$0.isLate })
        for behaviour in plan.behaviours {
            for expected in behaviour.expected {
                let found = unclaimed.firstIndex { finding in
                    finding.rule.fileName == expected.rule.rawValue
                        && finding.hostKey?.value == expected.hostKey
                        && Set(expected.events.map(Int64.init)).isSubset(of: finding.offsets)
                }
                if let found { unclaimed.remove(at: found) }
                #expect(found != nil, "\(behaviour.name): \(expected.rule.rawValue)")
            }
        }
        #expect(unclaimed.isEmpty, "\(unclaimed.map { "\($0.rule.fileName): \($0.evidence.map(\.text))" })")
    }

    /// Every test behaviour comes in both forms, and every rule of the pack has something to find.
    @Test func everyRuleAndEveryFormIsExpected() throws {
        let plan = try Self.plan(seed: 1)
        for number in 1...4 {
            let forms = plan.behaviours.filter { $0.testBehaviour == number }
            #expect(forms.map(\.isRaw) == [false, true])
            #expect(
                Set(forms[0].expected.map(\.rule)) == Set(forms[1].expected.map(\.rule)),
                "behaviour \(number) raises the same alerts in both forms")
        }
        #expect(Set(ExpectedRule.allCases.map(\.rawValue)) == Set(try Pack.load().rules.map(\.fileName)))
    }

    /// The same records give the same ids, however they are cut into batches. When a finding is complete is another
    /// matter: sequences wait for the watermark, which moves with the batches.
    @Test func replayGivesTheSameIDs() throws {
        let plan = try Self.plan(seed: 6)
        let rules = try Pack.load()
        let first = try Self.findings(rules, plan).map(\.id)
        #expect(try Self.findings(rules, plan).map(\.id) == first)
        #expect(Set(try Self.findings(rules, plan, batch: 1).map(\.id)) == Set(first))
        #expect(Set(first).count == first.count)
        #expect(first.count == plan.expectedFindings.count)
    }

    @Test func shadowRulesAreCountedAndMarked() throws {
        let plan = try Self.plan(seed: 7)
        let lane = try Pack.lane(try Pack.loadWithSeedInShadow())
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

extension Rule {
    /// The name of its file without `.toml`: what expectations and the pack's README call it.
    var fileName: String {
        String(path.split(separator: "/").last?.dropLast(".toml".count) ?? "")
    }
}

extension Evidence {
    fileprivate var text: String { String(decoding: original, as: UTF8.self) }
}
