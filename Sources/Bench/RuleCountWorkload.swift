import Detection
import Foundation
import Rules

/// What one, ten, … ten thousand rules cost: per event, to load, and in memory.
struct RuleCountWorkload {
    let corpora: Corpora
    let scale: Scale
    /// No other process is started.
    let isAlone: Bool

    func run(_ report: Report) throws {
        var measures: [Measure] = []
        var one: Figure?
        for count in scale.ruleCounts {
            let folder = FileManager.default.temporaryDirectory.appending(path: "apus-bench-rules-\(getpid())-\(count)")
            defer { try? FileManager.default.removeItem(at: folder) }
            try write(count, to: folder)
            let runs = count > 1_000 ? 1 : min(scale.runs, 3)
            var loads: [Double] = []
            var rules: CompiledRules?
            // From the second time on, a set like it is in use: that is what a reload meets.
            for _ in 0...runs {
                let started = ContinuousClock.now
                let loaded = RuleLoader(checker: .streaming).load(paths: [folder.path])
                guard loaded.rules.rules.count == count else {
                    throw BenchRules.Broken(
                        description: "\(count) rules: \(loaded.problems.first.map { "\($0)" } ?? "")")
                }
                rules = try CompiledRules(loaded.rules)
                loads.append(seconds(ContinuousClock.now - started))
            }
            guard let rules else { continue }
            let name = "\(count) rule\(count == 1 ? "" : "s")"
            measures.append(Measure("\(name): load", runs: [loads[0]], unit: "s"))
            measures.append(Measure("\(name): load again (reload)", runs: Array(loads.dropFirst()), unit: "s"))
            if !isAlone { measures.append(try memory(name, folder)) }
            for (size, corpus) in [("1 KB", corpora.kilobyte), ("mixed", corpora.mixed)] {
                let figure = process("\(name), \(size)", rules.queries, corpus)
                report.add(size == "1 KB" ? one.map(figure.over) ?? figure : figure)
                if one == nil { one = figure }
            }
        }
        measures.forEach(report.add)
    }

    private func write(_ count: Int, to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (number, query) in GeneratedRules.queries(count).enumerated() {
            let file = folder.appending(path: "rule-\(number).toml")
            try GeneratedRules.file(number, query).write(to: file, atomically: false, encoding: .utf8)
        }
    }

    private func process(_ name: String, _ queries: CompiledQueries, _ corpus: Corpus) -> Figure {
        var runs: [Run] = []
        for _ in 0..<scale.runs {
            // A new one each time: the watermark would take a second pass for late events.
            let lane = Lane(queries)
            runs.append(Run { lane.run(corpus) })
        }
        return Figure(
            name, events: corpus.count, bytes: corpus.payloadBytes, runs: runs.map(\.nanoseconds),
            allocations: runs.map(\.allocations))
    }

    /// The most that `apus eval` has resident with these rules and hardly any events.
    private func memory(_ name: String, _ folder: URL) throws -> Measure {
        let events = folder.appending(path: "events.ndjson")
        try Data(corpora.kilobyte.bytes[corpora.kilobyte.records[0]]).write(to: events)
        let child = try Child(Child.apus, ["eval", "--rules", folder.path, events.path])
        guard child.status == 0 else { throw BenchRules.Broken(description: "apus eval failed on \(name)") }
        return Measure(
            "\(name): resident at most", runs: [Double(child.peakBytes) / 1e6], unit: "MB",
            remark: "apus eval, while compiling too")
    }
}

func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}
