/// Figures of a script in `ops/bench`, which prints a line for each: name, value, unit and remark, tab-separated. Any other
/// line is a note.
struct ScriptWorkload {
    let script: String
    let arguments: [String]

    func run(_ report: Report) {
        guard let child = try? Child("ops/bench/\(script)", arguments, captures: true) else {
            return report.note("\(script): skipped, ops/bench/\(script) cannot be run")
        }
        for line in child.output.split(separator: "\n") {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 4, let value = Double(cells[1]) else {
                report.note(String(line))
                continue
            }
            report.add(Measure(name: cells[0], value: value, unit: cells[2], remark: cells[3]))
        }
        if child.status != 0 { report.note("\(script): ended early, with status \(child.status)") }
    }
}
