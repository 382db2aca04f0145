import Detection
import EventSchema
import KafkaClient
import Rules
import Traffic

/// What the demo expected and what came.
struct DemoOutcome {
    struct Verdict {
        var behaviour: WovenBehaviour
        /// Expected findings with the alert that fulfils each, if one came.
        var findings: [(expected: ExpectedFinding, alert: ReceivedAlert?)]

        var isFulfilled: Bool { findings.allSatisfy { $0.alert != nil } }
    }

    let events: Int
    let deadLetters: Int
    let elapsed: Duration
    /// Events per instance.
    let shares: [Int]
    let alerts: [ReceivedAlert]
    let verdicts: [Verdict]
    /// Alerts that nothing woven in explains.
    let unexpected: [ReceivedAlert]
    /// Alerts that came more than once; allowed at least once, and of equal ids.
    let repeated: Int

    var isAsExpected: Bool { verdicts.allSatisfy(\.isFulfilled) && unexpected.isEmpty && deadLetters == 0 }

    init(
        plan: TrafficPlan, rules: CompiledRules, events: Int, deadLetters: Int, elapsed: Duration, shares: [Int],
        places: [Int: PartitionOffset], alerts: [ReceivedAlert]
    ) {
        self.events = events
        self.deadLetters = deadLetters
        self.elapsed = elapsed
        self.shares = shares
        var distinct: [String: ReceivedAlert] = [:]
        for alert in alerts { distinct[alert.event.id] = alert }
        repeated = alerts.count - distinct.count
        self.alerts = distinct.values.sorted { ($0.timestamp, $0.event.id) < ($1.timestamp, $1.event.id) }

        let ids = Dictionary(
            rules.rules.compactMap { rule in rule.fileName.flatMap(ExpectedRule.init).map { ($0, rule.id) } },
            uniquingKeysWith: { first, _ in first })
        var unclaimed = distinct
        verdicts = plan.behaviours.map { behaviour in
            Verdict(
                behaviour: behaviour,
                findings: behaviour.expected.map { expected in
                    let alert = unclaimed.values.first {
                        $0.rule.id == ids[expected.rule] && $0.fulfils(expected, places: places)
                    }
                    if let alert { unclaimed[alert.event.id] = nil }
                    return (expected, alert)
                })
        }
        unexpected = unclaimed.values.sorted { $0.timestamp < $1.timestamp }
    }
}

extension ReceivedAlert {
    /// Whether this is the alert an expectation speaks of: its host, and the very records.
    fileprivate func fulfils(_ expected: ExpectedFinding, places: [Int: PartitionOffset]) -> Bool {
        guard apus.hostKey == expected.hostKey else { return false }
        return expected.events.allSatisfy { event in
            guard let place = places[event] else { return false }
            return apus.evidence.contains {
                $0.topic == place.partition.topic && $0.partition == place.partition.partition
                    && $0.offset == place.offset
            }
        }
    }
}

extension Rule {
    /// The name of its file without `.toml`: what expectations call it.
    fileprivate var fileName: String? {
        path.split(separator: "/").last.map { $0.hasSuffix(".toml") ? String($0.dropLast(5)) : String($0) }
    }
}
