import CFloors
import Detection
import EventSchema
import Events

/// Decoding, matching and correlating records that lie in memory.
struct EngineWorkloads {
    let rules: BenchRules
    let corpora: Corpora
    let scale: Scale

    func run() throws -> [Figure] {
        let parse = floor("floor: simdjson DOM parse, 1 KB", corpora.kilobyte)
        let parseMixed = floor("floor: simdjson DOM parse, mixed", corpora.mixed)
        return [
            parse, parseMixed,
            decode("decode, seed rule's fields, 1 KB", corpora.kilobyte).over(parse),
            decode("decode, seed rule's fields, mixed", corpora.mixed).over(parseMixed),
            process("decode + match, seed rule, 1 KB", rules.seed.queries, corpora.kilobyte).over(parse),
            process("decode + match, seed rule, mixed", rules.seed.queries, corpora.mixed).over(parseMixed),
            process("decode + match, 1,000 rules, 1 KB", rules.thousand, corpora.kilobyte).over(parse),
            process("decode + match, 1,000 rules, mixed", rules.thousand, corpora.mixed).over(parseMixed),
            correlate("the pack (seed and sample), mixed", rules.pack.queries, corpora.mixed).over(parseMixed),
            correlate("sample rule, only port 443", rules.sample.queries, corpora.connections),
            correlate("sequence rule, only port 443", rules.sequence, corpora.connections),
        ]
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
                corpus.forEach { record, _ in
                    let bytes = record.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    precondition(apus_floor_parse(parser, bytes, record.count) == 1, "the corpus is JSON")
                }
            }
        }
    }

    private func decode(_ name: String, _ corpus: Corpus) -> Figure {
        let decoder = rules.seed.queries.makeDecoder(limits: DecodeLimits())
        let work = { (corpus: Corpus) in
            corpus.forEach { record, _ in
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
        corpus.forEach { record, index in
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
