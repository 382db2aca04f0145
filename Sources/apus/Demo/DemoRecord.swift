/// The outcome of `apus demo --output json`.
struct DemoRecord: Encodable {
    struct Alert: Encodable {
        var id: String
        var time: String
        var rule: String
        var host: String?
    }

    var asExpected: Bool
    var events: Int
    var seconds: Double
    /// Events per instance.
    var shares: [Int]
    var expected: Int
    var found: Int
    var repeated: Int
    var deadLetters: Int
    var unexpected: [Alert]
    var alerts: [Alert]

    init(_ outcome: DemoOutcome) {
        func alert(_ alert: ReceivedAlert) -> Alert {
            Alert(
                id: alert.event.id, time: alert.timestamp, rule: alert.rule.name,
                host: alert.host?.name ?? alert.apus.hostKey)
        }
        asExpected = outcome.isAsExpected
        events = outcome.events
        seconds = outcome.elapsed.seconds
        shares = outcome.shares
        expected = outcome.verdicts.reduce(0) { $0 + $1.findings.count }
        found = outcome.verdicts.reduce(0) { $0 + $1.findings.count { $0.alert != nil } }
        repeated = outcome.repeated
        deadLetters = outcome.deadLetters
        unexpected = outcome.unexpected.map(alert)
        alerts = outcome.alerts.map(alert)
    }
}
