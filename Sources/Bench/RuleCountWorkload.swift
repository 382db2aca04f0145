import Detection
import Foundation
import Rules

/// What one, ten, … ten thousand rules cost: per event, to load, and in memory.
struct RuleCountWorkload {
    let corpora: Corpora
    let scale: Scale
    /// No other process is started.
    let isAlone: Bool

    func run(_ report: Report, only filter: String?) throws {
        var measures: [Measure] = []
        var sets: [(name: String, queries: CompiledQueries)] = []
        for count in scale.ruleCounts where filter.map({ "\(count) rules".contains($0) }) ?? true {
            let folder = FileManager.default.temporaryDirectory.appending(path: "apus-bench-rules-\(getpid())-\(count)")
            defer { try? FileManager.default.removeItem(at: folder) }
            try write(count, to: folder)
            let runs = count > 1_000 || filter != nil ? 1 : min(scale.runs, 3)
            var loads: [Double] = []
            var compiling = 0.0
            var rules: CompiledRules?
            // From the second time on, a set like it is in use: that is what a reload meets.
            for _ in 0...runs {
                let started = ContinuousClock.now
                let loaded = RuleLoader(checker: .streaming).load(paths: [folder.path])
                guard loaded.rules.rules.count == count else {
                    throw BenchRules.Broken(
                        description: "\(count) rules: \(loaded.problems.first.map { "\($0)" } ?? "")")
                }
                let read = ContinuousClock.now
                rules = try CompiledRules(loaded.rules)
                if loads.isEmpty { compiling = seconds(ContinuousClock.now - read) }
                loads.append(seconds(ContinuousClock.now - started))
            }
            // As apus run does it: what has not changed is not read again.
            let loader = RuleLoader(checker: .streaming)
            var changes: [Double] = []
            let file = folder.appending(path: "rule-0.toml")
            let text = try String(contentsOf: file, encoding: .utf8)
            for version in 0...runs {
                // The same rule, so that the set stays the one that is measured.
                try (text + "\n# \(version)\n").write(to: file, atomically: false, encoding: .utf8)
                let started = ContinuousClock.now
                rules = try CompiledRules(loader.load(paths: [folder.path]).rules)
                changes.append(seconds(ContinuousClock.now - started))
            }
            guard let rules else { continue }
            let name = "\(count) rule\(count == 1 ? "" : "s")"
            measures.append(Measure("\(name): load", runs: [loads[0]], unit: "s"))
            measures.append(Measure("\(name): of that compiling", runs: [compiling], unit: "s"))
            measures.append(Measure("\(name): load again, all read", runs: Array(loads.dropFirst()), unit: "s"))
            measures.append(
                Measure("\(name): load again, one file changed", runs: Array(changes.dropFirst()), unit: "s"))
            if !isAlone, filter == nil { measures.append(try memory(name, folder)) }
            sets.append((name, rules.queries))
        }
        for (size, corpus) in [("1 KB", corpora.kilobyte), ("mixed", corpora.mixed)] {
            var group = Interleaved(corpus, scale, rounds: 1)
            for (name, queries) in sets {
                group.add("\(name), \(size)") { _ in
                    // A new one each time: the watermark would take a second pass for late events.
                    let lane = Lane(queries)
                    return { lane.run($0) }
                }
            }
            group.run(report, only: filter)
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
