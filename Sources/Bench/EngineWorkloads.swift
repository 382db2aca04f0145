import CFloors
import Detection
import EventSchema
import Events

/// Decoding, matching and correlating records that lie in memory.
struct EngineWorkloads {
    let rules: BenchRules
    let corpora: Corpora
    let scale: Scale

    /// - Parameter filter: only workloads whose name holds this text, without ratios.
    func run(_ report: Report, only filter: String?) {
        func isWanted(_ name: String) -> Bool { filter.map(name.contains) ?? true }
        let sizes = [("1 KB", corpora.kilobyte), ("mixed", corpora.mixed)]
        for (size, corpus) in sizes {
            let parse = filter == nil ? floor("floor: simdjson DOM parse, \(size)", corpus) : nil
            if let parse { report.add(parse) }
            func add(_ name: String, _ measured: (String, Corpus) -> Figure) {
                guard isWanted("\(name), \(size)") else { return }
                let figure = measured("\(name), \(size)", corpus)
                report.add(parse.map(figure.over) ?? figure)
            }
            add("decode, seed rule's fields", decode)
            add("decode + match, seed rule") { process($0, rules.seed.queries, $1) }
            add("decode + match, 1,000 rules") { process($0, rules.thousand, $1) }
        }
        for (name, queries, corpus) in [
            ("the pack (seed and sample), mixed", rules.pack.queries, corpora.mixed),
            ("sample rule, only port 443", rules.sample.queries, corpora.connections),
            ("sequence rule, only port 443", rules.sequence, corpora.connections),
        ] where isWanted(name) { report.add(correlate(name, queries, corpus)) }
    }

    private func measure(
        _ name: String, _ corpus: Corpus, rounds: Int? = nil, _ prepare: () -> (Corpus) -> Void
    ) -> Figure {
        let rounds = rounds ?? scale.rounds
        var runs: [Run] = []
        for _ in 0..<scale.runs {
            let work = prepare()
            runs.append(Run { for _ in 0..<rounds { work(corpus) } })
        }
        return Figure(
            name, events: corpus.count * rounds, bytes: corpus.payloadBytes * rounds,
            runs: runs.map(\.nanoseconds), allocations: runs.map(\.allocations))
    }

    private func floor(_ name: String, _ corpus: Corpus) -> Figure {
        let parser = apus_floor_parser_create()
        defer { apus_floor_parser_destroy(parser) }
        return measure(name, corpus) {
            { corpus in
                corpus.eachRecord { record, _ in
                    let bytes = record.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    precondition(apus_floor_parse(parser, bytes, record.count) == 1, "the corpus is JSON")
                }
            }
        }
    }

    private func decode(_ name: String, _ corpus: Corpus) -> Figure {
        let decoder = rules.seed.queries.makeDecoder(limits: DecodeLimits())
        let work = { (corpus: Corpus) in
            corpus.eachRecord { record, _ in
                precondition(decoder.decode(record) == nil, "the corpus is JSON")
            }
        }
        work(corpus)
        return measure(name, corpus) { work }
    }

    private func process(_ name: String, _ queries: CompiledQueries, _ corpus: Corpus) -> Figure {
        let lane = Lane(queries)
        lane.run(corpus)
        return measure(name, corpus) { { lane.run($0) } }
    }

    /// Once through the corpus with a new evaluator: the watermark would take a second pass for late events.
    private func correlate(_ name: String, _ queries: CompiledQueries, _ corpus: Corpus) -> Figure {
        measure(name, corpus, rounds: 1) {
            let lane = Lane(queries)
            return { lane.run($0) }
        }
    }
}

/// An evaluator fed as a partition lane feeds it: batches, and the watermark moves after each.
final class Lane {
    static let batch = 1_000

    let evaluator: Evaluator
    private let source: Int
    private(set) var matches = 0

    init(_ queries: CompiledQueries) {
        evaluator = Evaluator(queries, options: EvaluatorOptions(ordering: .stream(lateness: 2_000_000_000)))
        source = evaluator.addSource()
    }

    func run(_ corpus: Corpus) {
        corpus.eachRecord { record, index in
            _ = evaluator.process(record, origin: origin(index), source: source, recordTime: nil)
            if index % Self.batch == Self.batch - 1 { collect() }
        }
        collect()
    }

    private func collect() {
        evaluator.advanceWatermark()
        if !evaluator.matches.isEmpty { matches += evaluator.takeMatches().count }
    }

    private func origin(_ index: Int) -> RecordOrigin {
        RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(index))
    }
}
