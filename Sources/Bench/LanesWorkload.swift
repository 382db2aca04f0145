import Dispatch
import Foundation

/// Several lanes at once, each with a matcher of its own over one rule set: what sharing the rules costs.
struct LanesWorkload {
    let rules: BenchRules
    let corpora: Corpora
    let scale: Scale

    func run(_ report: Report) {
        var one: Figure?
        for lanes in 1...max(ProcessInfo.processInfo.activeProcessorCount, 1) where lanes & (lanes - 1) == 0 {
            var runs: [Double] = []
            for _ in 0..<scale.runs {
                let queries = rules.thousand
                let corpus = corpora.kilobyte
                let started = ContinuousClock.now
                DispatchQueue.concurrentPerform(iterations: lanes) { _ in
                    let lane = Lane(queries)
                    for _ in 0..<scale.rounds { lane.run(corpus) }
                }
                runs.append(seconds(ContinuousClock.now - started) * 1e9)
            }
            let figure = Figure(
                "\(lanes) lane\(lanes == 1 ? "" : "s"), 1,000 rules, 1 KB",
                events: corpora.kilobyte.count * scale.rounds * lanes,
                bytes: corpora.kilobyte.payloadBytes * scale.rounds * lanes, runs: runs)
            report.add(one.map(figure.over) ?? figure)
            if one == nil { one = figure }
        }
    }
}
