import Foundation

/// Prints figures as they come, as a table, or all at the end as JSON.
final class Report {
    private struct Section: Encodable {
        var title: String
        var figures: [Figure] = []
        var notes: [String] = []
    }

    private let isJSON: Bool
    private var sections: [Section] = []

    init(isJSON: Bool) {
        self.isJSON = isJSON
    }

    func section(_ title: String) {
        sections.append(Section(title: title))
        guard !isJSON else { return }
        print(sections.count > 1 ? "\n\(title)\n" : "\(title)\n")
        print(row("", "events/s", "MB/s", "ns/event", "spread", "allocs", ""))
    }

    func add(_ figure: Figure) {
        sections[sections.count - 1].figures.append(figure)
        guard !isJSON else { return }
        let remarks = [
            figure.ratio.map { String(format: "%.2f × %@", $0.times, $0.floor.replacing("floor: ", with: "")) },
            figure.note,
        ]
        print(
            row(
                figure.workload, thousands(figure.eventsPerSecond), String(format: "%.0f", figure.megabytesPerSecond),
                thousands(figure.nanosecondsPerEvent), String(format: "%.0f %%", figure.spread),
                figure.allocationsPerEvent.map { String(format: "%.2f", $0) } ?? "-",
                remarks.compactMap(\.self).joined(separator: "; ")))
    }

    func note(_ text: String) {
        sections[sections.count - 1].notes.append(text)
        if !isJSON { print("  \(text)") }
    }

    func finish() {
        guard isJSON else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Only strings and finite numbers: encoding cannot fail.
        if let data = try? encoder.encode(["sections": sections]) { print(String(decoding: data, as: UTF8.self)) }
    }

    private func row(_ name: String, _ cells: String...) -> String {
        let columns = cells.dropLast().map { cell in String(repeating: " ", count: max(0, 11 - cell.count)) + cell }
        let padded = name + String(repeating: " ", count: max(1, 38 - name.count))
        return (padded + columns.joined() + "  " + (cells.last ?? "")).replacing(/[ ]+$/, with: "")
    }

    /// Digits in groups of three.
    private func thousands(_ number: Double) -> String {
        var digits = String(Int(number.rounded()))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
            place -= 3
        }
        return digits
    }
}
