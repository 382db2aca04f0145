import Foundation

/// `apus run` and its peers as processes of their own on one broker; see `ops/bench/streams.py`.
struct StreamWorkload {
    let corpora: Corpora
    let isQuick: Bool

    func run(_ report: Report) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "apus-bench-stream-\(getpid()).ndjson")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data(corpora.kilobyte.bytes).write(to: url)
        ScriptWorkload(script: "streams", arguments: [Child.apus, url.path] + (isQuick ? ["--quick"] : [])).run(report)
    }
}
