import Foundation

/// Prints figures as they come, as a table, or all at the end as JSON; and writes them into a page.
final class Report {
    private struct Section: Encodable {
        var title: String
        var figures: [Figure] = []
        var measures: [Measure] = []
        var notes: [String] = []
    }

    private struct Whole: Encodable {
        var sections: [Section]
        var targets: [Target]
    }

    private let isJSON: Bool
    private let path: String?
    private var sections: [Section] = []

    /// - Parameter path: a page with ``figureMarks`` and ``targetMarks`` in it; what is between them is replaced.
    init(isJSON: Bool, path: String? = nil) {
        self.isJSON = isJSON
        self.path = path
    }

    private static let figureMarks = ("<!-- figures: written by bench --report -->", "<!-- end of figures -->")
    private static let targetMarks = ("<!-- targets: written by bench --report -->", "<!-- end of targets -->")

    var measures: [Measure] { sections.flatMap(\.measures) }

    func figure(_ workload: String) -> Figure? { sections.lazy.flatMap(\.figures).first { $0.workload == workload } }

    func measure(_ name: String) -> Measure? { sections.lazy.flatMap(\.measures).first { $0.name == name } }

    func section(_ title: String) {
        sections.append(Section(title: title))
        guard !isJSON else { return }
        print(sections.count > 1 ? "\n\(title)\n" : "\(title)\n")
    }

    func add(_ figure: Figure) {
        sections[sections.count - 1].figures.append(figure)
        guard !isJSON else { return }
        if sections[sections.count - 1].figures.count == 1 {
            print(row("", "events/s", "MB/s", "ns/event", "spread", "allocs", ""))
        }
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

    func add(_ measure: Measure) {
        sections[sections.count - 1].measures.append(measure)
        guard !isJSON else { return }
        let name = measure.name + String(repeating: " ", count: max(1, 64 - measure.name.count))
        print("\(name)\(measure.text)  \(measure.remark)".replacing(/[ ]+$/, with: ""))
    }

    func note(_ text: String) {
        sections[sections.count - 1].notes.append(text)
        if !isJSON { print("  \(text)") }
    }

    func finish() throws {
        let targets = Target.all(in: self)
        if let path {
            try replace(between: Self.figureMarks, in: path, by: markdown())
            // Those of a whole run stay when this one was about something else.
            if !targets.isEmpty { try replace(between: Self.targetMarks, in: path, by: Self.markdown(targets)) }
        }
        guard isJSON else {
            if !targets.isEmpty { print("\nAgainst what was asked\n") }
            for target in targets {
                print("\(target.asked): \(target.seen), \(target.verdict)")
                if let bound = target.bound { print("  \(bound)") }
            }
            return
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Only strings and finite numbers: encoding cannot fail.
        if let data = try? encoder.encode(Whole(sections: sections, targets: targets)) {
            print(String(decoding: data, as: UTF8.self))
        }
    }

    private func replace(between marks: (start: String, end: String), in path: String, by content: String) throws {
        let page = try String(contentsOfFile: path, encoding: .utf8)
        guard let start = page.range(of: marks.start), let end = page.range(of: marks.end),
            start.upperBound <= end.lowerBound
        else { throw BenchRules.Broken(description: "\(path): there is no \(marks.start), or no end of it") }
        let text = page[..<start.upperBound] + "\n" + content + "\n" + page[end.lowerBound...]
        try String(text).write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func markdown() -> String {
        var lines = [Machine.description]
        for section in sections {
            lines += ["", "### \(section.title)"]
            if !section.figures.isEmpty {
                lines += [
                    "", "| workload | events/s | MB/s | ns/event | spread | allocations | against its floor |",
                    "|---|---:|---:|---:|---:|---:|---|",
                ]
            }
            for figure in section.figures {
                let ratio = figure.ratio.map {
                    String(format: "%.2f × the time of %@", $0.times, $0.floor.replacing("floor: ", with: ""))
                }
                let cells = [
                    figure.workload, thousands(figure.eventsPerSecond),
                    String(format: "%.0f", figure.megabytesPerSecond), thousands(figure.nanosecondsPerEvent),
                    String(format: "%.0f %%", figure.spread),
                    figure.allocationsPerEvent.map { String(format: "%.2f", $0) } ?? "",
                    [ratio, figure.note].compactMap(\.self).joined(separator: "; "),
                ]
                lines.append("| \(cells.joined(separator: " | ")) |")
            }
            if !section.measures.isEmpty { lines += ["", "| what | figure | remark |", "|---|---:|---|"] }
            lines += section.measures.map { "| \($0.name) | \($0.text) | \($0.remark) |" }
            if !section.notes.isEmpty { lines.append("") }
            lines += section.notes.map { "- \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func markdown(_ targets: [Target]) -> String {
        let lines =
            ["| asked | seen | |", "|---|---|---|"]
            + targets.map { "| \($0.asked) | \($0.seen) | \($0.verdict) |" }
        let bounds = targets.compactMap { target in target.bound.map { "- **\(target.asked).** \($0)" } }
        return (lines + (bounds.isEmpty ? [] : [""] + bounds)).joined(separator: "\n") + "\n"
    }

    private func row(_ name: String, _ cells: String...) -> String {
        let columns = cells.dropLast().map { cell in String(repeating: " ", count: max(0, 11 - cell.count)) + cell }
        let padded = name + String(repeating: " ", count: max(1, 38 - name.count))
        return (padded + columns.joined() + "  " + (cells.last ?? "")).replacing(/[ ]+$/, with: "")
    }
}
