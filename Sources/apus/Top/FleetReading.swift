import Operations

/// One moment of all instances, with what happened since the moment before.
struct FleetReading: Encodable, Sendable {
    struct Instance: Encodable, Sendable {
        var url: String
        var instance: String?
        var ready: Bool
        /// Why it is not ready, or does not answer.
        var problems: [String]
        var recordRate: Double = 0
        var alertRate: Double = 0
        var lag: Int64 = 0
        /// Of the partition that is furthest behind.
        var lagSeconds: Double = 0
        var partitions = 0
        var deadLetters: UInt64 = 0
        var rulesHash: String?
    }

    struct Rule: Encodable, Sendable {
        var id: String
        var name: String
        var severity: String
        var matchRate: Double
        var matches: UInt64
        var alerts: UInt64
    }

    var instances: [Instance]
    /// Of all instances together; the busiest first, then those with the most matches.
    var rules: [Rule]

    typealias Reading = (url: String, status: Result<InstanceStatus, OperationsClient.Failure>)

    init(_ now: [Reading], after before: [Reading]) {
        var rules: [String: Rule] = [:]
        instances = now.enumerated().map { index, reading in
            let status: InstanceStatus
            switch reading.status {
            case .success(let found): status = found
            case .failure(let failure):
                return Instance(url: reading.url, ready: false, problems: [failure.description])
            }
            // Another process counts from zero.
            let former = (try? before[index].status.get()).flatMap { $0.instance == status.instance ? $0 : nil }
            let seconds = former.map { status.time - $0.time } ?? 0
            func rate(_ now: UInt64, _ before: UInt64?) -> Double {
                guard let before, now > before, seconds > 0 else { return 0 }
                return Double(now - before) / seconds
            }
            let formerMatches = Dictionary(
                former?.rules.rules.map { ($0.id, $0.matches) } ?? [], uniquingKeysWith: { first, _ in first })
            for rule in status.rules.rules {
                var sum =
                    rules[rule.id]
                    ?? Rule(
                        id: rule.id, name: rule.name, severity: rule.severity, matchRate: 0, matches: 0, alerts: 0)
                sum.matchRate += rate(rule.matches, formerMatches[rule.id])
                sum.matches += rule.matches
                sum.alerts += rule.alerts
                rules[rule.id] = sum
            }
            return Instance(
                url: reading.url, instance: status.instance, ready: status.ready, problems: status.problems,
                recordRate: rate(status.records, former?.records), alertRate: rate(status.alerts, former?.alerts),
                lag: status.assignment.reduce(0) { $0 + $1.lag },
                lagSeconds: status.assignment.map(\.lagSeconds).max() ?? 0, partitions: status.assignment.count,
                deadLetters: status.deadLetters.values.reduce(0, +), rulesHash: status.rules.hash)
        }
        self.rules = rules.values.sorted {
            ($1.matchRate, $1.matches, $0.name, $0.id) < ($0.matchRate, $0.matches, $1.name, $1.id)
        }
    }

    /// The sets of rules that are evaluated; more than one while a fleet changes, or when instances differ.
    var hashes: [String] { Set(instances.compactMap(\.rulesHash)).sorted() }
}
