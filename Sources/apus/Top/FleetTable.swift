import Foundation

/// A reading for a terminal.
struct FleetTable {
    let text: String

    init(_ reading: FleetReading, rules: Int) {
        let all = reading.instances
        var lines = [
            TerminalText.bold("apus") + "  \(all.count(where: \.ready)) of \(all.count) instances ready  "
                + "\(Self.rate(all.reduce(0) { $0 + $1.recordRate })) records/s  "
                + "\(Self.rate(all.reduce(0) { $0 + $1.alertRate })) alerts/s  lag \(all.reduce(0) { $0 + $1.lag })",
            "",
        ]
        lines += Self.table(
            ["INSTANCE", "STATE", "RECORDS/S", "ALERTS/S", "LAG", "LAG S", "PARTITIONS", "DEAD LETTERS", "RULES"],
            all.map { instance in
                [
                    (instance.instance ?? instance.url).visible, instance.ready ? "ready" : "not ready",
                    Self.rate(instance.recordRate), Self.rate(instance.alertRate), "\(instance.lag)",
                    Self.rate(instance.lagSeconds), "\(instance.partitions)", "\(instance.deadLetters)",
                    String((instance.rulesHash ?? "-").prefix(8)).visible,
                ]
            }, left: [0, 1, 8])
        for instance in all where !instance.problems.isEmpty {
            lines.append("\(instance.url): \(instance.problems.joined(separator: "; ").visible)")
        }
        if reading.hashes.count > 1 {
            lines.append("the instances evaluate \(reading.hashes.count) different sets of rules")
        }
        if rules > 0, !reading.rules.isEmpty {
            lines += ["", ""].prefix(1)
            lines += Self.table(
                ["RULE", "SEVERITY", "MATCHES/S", "MATCHES", "ALERTS"],
                reading.rules.prefix(rules).map {
                    [
                        String($0.name.visible.prefix(60)), $0.severity.visible, Self.rate($0.matchRate),
                        "\($0.matches)", "\($0.alerts)",
                    ]
                }, left: [0, 1])
            let rest = reading.rules.count - rules
            if rest > 0 { lines.append(TerminalText.dim("and \(rest) more")) }
        }
        text = lines.joined(separator: "\n")
    }

    /// Columns as wide as they need; numbers to the right.
    private static func table(_ header: [String], _ rows: [[String]], left: Set<Int>) -> [String] {
        let widths = header.indices.map { column in
            max(header[column].count, rows.map { $0[column].count }.max() ?? 0)
        }
        func line(_ cells: [String]) -> String {
            var text = ""
            for (column, cell) in cells.enumerated() {
                let blanks = String(repeating: " ", count: widths[column] - cell.count)
                text += (column == 0 ? "" : "  ") + (left.contains(column) ? cell + blanks : blanks + cell)
            }
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
        return [TerminalText.dim(line(header))] + rows.map(line)
    }

    /// Whole numbers from 10 on.
    private static func rate(_ value: Double) -> String {
        value >= 10 || value == 0 ? "\(Int(value.rounded()))" : String(format: "%.1f", value)
    }
}
