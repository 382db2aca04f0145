import Foundation

/// `apus run` and its peers as processes of their own on one broker; see `ops/bench/streams.py`.
struct StreamWorkload {
    let corpora: Corpora
    let isQuick: Bool

    func run(_ report: Report) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "apus-bench-stream-\(getpid()).ndjson")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data(corpora.kilobyte.bytes).write(to: url)
        guard
            let child = try? Child(
                "ops/bench/streams", [Child.apus, url.path] + (isQuick ? ["--quick"] : []), captures: true)
        else { return report.note("streams: skipped, ops/bench/streams cannot be run") }
        for line in child.output.split(separator: "\n") {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 4, let value = Double(cells[1]) else {
                report.note(String(line))
                continue
            }
            report.add(Measure(name: cells[0], value: value, unit: cells[2], remark: cells[3]))
        }
        if child.status != 0 { report.note("streams: ended early, with status \(child.status)") }
    }
}
