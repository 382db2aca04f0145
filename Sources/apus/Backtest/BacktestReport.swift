import Detection
import EventSchema
import Events
import Foundation
import KafkaClient
import Rules

/// What a backtest found, for people and for programs.
struct BacktestReport: Encodable {
    struct Range: Encodable {
        var topic: String
        var partition: Int32
        var from: Int64
        var to: Int64
    }

    struct RuleHits: Encodable {
        var id: String
        var name: String
        var hash: String
        var stage: String
        var hits: Int
        var hosts: Int
        var first: String?
        var last: String?
    }

    struct HostHits: Encodable {
        /// Nil: no host could be told.
        var host: String?
        var hits: Int
        var rules: Int
    }

    struct DayHits: Encodable {
        var day: String
        var hits: Int
        var hosts: Int
    }

    /// One cell of rule × host × day.
    struct Cell: Encodable, Hashable {
        var rule: String
        var host: String?
        var day: String
        var hits = 0
    }

    var ranges: [Range]
    var records: UInt64
    var bytes: UInt64
    var seconds: Double
    var rejected: [String: UInt64]
    var late: UInt64
    var rules: [RuleHits]
    var hosts: [HostHits]
    var days: [DayHits]
    var hits: [Cell]
    var exceptions: [ExceptionCount]
    var comparison: BacktestComparison?

    init(
        _ tester: Backtester, rules: CompiledRules, comparedWith other: CompiledRules?, ranges: TopicRanges,
        seconds: Double
    ) {
        self.ranges = ranges.ranges.map {
            Range(topic: $0.partition.topic, partition: $0.partition.partition, from: $0.lower, to: $0.upper)
        }
        let counters = tester.counters
        records = counters.records
        bytes = counters.bytes
        self.seconds = seconds
        rejected = Dictionary(uniqueKeysWithValues: counters.rejected.map { ($0.key.reason, $0.value) })
        late = counters.late
        let found = tester.hits[0]
        let byRule = Dictionary(grouping: found, by: \.ruleID)
        self.rules = rules.rules.map { rule in
            let hits = byRule[rule.id] ?? []
            return RuleHits(
                id: rule.id, name: rule.name, hash: rule.contentHash, stage: rule.stage.rawValue, hits: hits.count,
                hosts: Set(hits.map(\.host)).count, first: hits.map(\.time).min()?.description,
                last: hits.map(\.time).max()?.description)
        }.sorted { ($1.hits, $0.name) < ($0.hits, $1.name) }
        hosts = Dictionary(grouping: found, by: \.host).map { host, hits in
            HostHits(host: host, hits: hits.count, rules: Set(hits.map(\.ruleID)).count)
        }.sorted { ($1.hits, $0.host ?? "") < ($0.hits, $1.host ?? "") }
        days = Dictionary(grouping: found, by: \.day).map { day, hits in
            DayHits(day: day, hits: hits.count, hosts: Set(hits.map(\.host)).count)
        }.sorted { $0.day < $1.day }
        let cells = Dictionary(grouping: found) { Cell(rule: $0.ruleID, host: $0.host, day: $0.day) }
        self.hits = cells.map { cell, hits in
            Cell(rule: cell.rule, host: cell.host, day: cell.day, hits: hits.count)
        }.sorted { ($0.day, $0.rule, $0.host ?? "") < ($1.day, $1.rule, $1.host ?? "") }
        exceptions = tester.exceptions[0]
        comparison = other.map { BacktestComparison(rules, found, with: $0, tester.hits[1], tester.exceptions[1]) }
    }
}

extension BacktestReport {
    /// Tables that fit a terminal; hosts beyond the first twenty are left to the JSON form.
    var text: String {
        let rate = seconds > 0 ? Double(records) / seconds : 0
        let filled = ranges.count { $0.from < $0.to }
        var lines = [
            String(
                format: "%llu records of %d partitions (%.1f MB) in %.1f s: %.0f/s", records, filled,
                Double(bytes) / 1e6, seconds, rate)
        ]
        let failures = rejected.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        if !failures.isEmpty { lines.append("not evaluated: \(failures.joined(separator: ", "))") }
        if late > 0 { lines.append("matches that came later than time.allowed_lateness: \(late)") }

        var byRule = TextTable(["hits", "hosts", "first", "last", "rule"], numbers: 2)
        for rule in rules {
            let stage = rule.stage == Rule.Stage.shadow.rawValue ? " [shadow]" : ""
            byRule.add([
                "\(rule.hits)", "\(rule.hosts)", rule.first ?? "-", rule.last ?? "-", "\(rule.name)\(stage)",
            ])
        }
        lines += ["", byRule.text]
        if !days.isEmpty {
            var byDay = TextTable(["hits", "hosts", "day (UTC)"], numbers: 2)
            for day in days { byDay.add(["\(day.hits)", "\(day.hosts)", day.day]) }
            lines += ["", byDay.text]
            var byHost = TextTable(["hits", "rules", "host"], numbers: 2)
            for host in hosts.prefix(20) { byHost.add(["\(host.hits)", "\(host.rules)", host.host ?? "(none)"]) }
            lines += ["", byHost.text]
            if hosts.count > 20 { lines.append("… and \(hosts.count - 20) more hosts") }
        }
        let leftOut = exceptions.flatMap(\.lines)
        if !leftOut.isEmpty { lines += [""] + leftOut }
        if let comparison { lines += ["", comparison.text] }
        return lines.joined(separator: "\n")
    }
}

/// How the findings of two versions of a rule set differ over the same records. A finding is the same when it is of the
/// same rule and of the same records; its alert id is not, since the rule's content is part of it.
struct BacktestComparison: Encodable {
    enum Change: String, Encodable {
        case unchanged, changed, added, removed
    }

    struct RuleDifference: Encodable {
        var id: String
        var name: String
        /// What became of the rule itself.
        var rule: Change
        var hits: Int
        var comparedHits: Int
        var both: Int
        /// Found by the compared version only, with the places of their last records.
        var gained: [String]
        /// Not found by the compared version any more.
        var lost: [String]
    }

    var rules: [RuleDifference]
    /// What the exceptions of the compared version left out.
    var exceptions: [ExceptionCount]

    init(
        _ rules: CompiledRules, _ hits: [BacktestHit], with other: CompiledRules, _ otherHits: [BacktestHit],
        _ otherExceptions: [ExceptionCount]
    ) {
        exceptions = otherExceptions
        let (byRule, otherByRule) = (
            Dictionary(grouping: hits, by: \.ruleID), Dictionary(grouping: otherHits, by: \.ruleID)
        )
        let (mine, theirs) = (
            Dictionary(uniqueKeysWithValues: rules.rules.map { ($0.id, $0) }),
            Dictionary(uniqueKeysWithValues: other.rules.map { ($0.id, $0) })
        )
        self.rules = Set(mine.keys).union(theirs.keys).sorted().map { id in
            let (old, new) = (byRule[id] ?? [], otherByRule[id] ?? [])
            let (oldPlaces, newPlaces) = (Set(old.map(\.evidence)), Set(new.map(\.evidence)))
            let change: Change =
                switch (mine[id], theirs[id]) {
                case (let rule?, let other?): rule.contentHash == other.contentHash ? .unchanged : .changed
                case (nil, _): .added
                case (_, nil): .removed
                }
            return RuleDifference(
                id: id, name: (theirs[id] ?? mine[id])?.name ?? id, rule: change, hits: old.count,
                comparedHits: new.count, both: oldPlaces.intersection(newPlaces).count,
                gained: new.filter { !oldPlaces.contains($0.evidence) }.map(\.place),
                lost: old.filter { !newPlaces.contains($0.evidence) }.map(\.place))
        }
    }

    var text: String {
        var table = TextTable(["hits", "compared", "both", "gained", "lost", "rule", ""], numbers: 5)
        for rule in rules {
            table.add([
                "\(rule.hits)", "\(rule.comparedHits)", "\(rule.both)", "\(rule.gained.count)", "\(rule.lost.count)",
                rule.rule.rawValue, rule.name,
            ])
        }
        var lines = [table.text]
        for rule in rules {
            for (word, places) in [("gained", rule.gained), ("lost", rule.lost)] where !places.isEmpty {
                lines.append("\(word) by \(rule.name):")
                lines += places.prefix(5).map { "  \($0)" }
                if places.count > 5 { lines.append("  … and \(places.count - 5) more") }
            }
        }
        lines += exceptions.flatMap(\.lines).map { "compared: \($0)" }
        return lines.joined(separator: "\n")
    }
}

extension BacktestHit {
    /// When, where and on which host.
    fileprivate var place: String {
        let last = evidence.last.map { "partition \($0.partition) offset \($0.offset)" } ?? ""
        return "\(time) \(host ?? "-") \(last)"
    }
}

/// Columns as wide as their widest cell, numbers to the right.
struct TextTable {
    private var rows: [[String]]
    private let numbers: Int

    /// - Parameter numbers: how many columns from the left hold numbers.
    init(_ header: [String], numbers: Int = 0) {
        rows = [header]
        self.numbers = numbers
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                if column < numbers { return padding + cell }
                return column == row.count - 1 ? cell : cell + padding
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
