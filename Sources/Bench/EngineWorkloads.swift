import CFloors
import Detection
import EventSchema
import Events
import Matching

/// Decoding, matching and correlating records that lie in memory.
struct EngineWorkloads {
    let rules: BenchRules
    let corpora: Corpora
    let scale: Scale

    /// - Parameter filter: only workloads whose name holds this text, without ratios.
    func run(_ report: Report, only filter: String?) {
        for (size, corpus) in [("1 KB", corpora.kilobyte), ("mixed", corpora.mixed)] {
            var group = Interleaved(corpus, scale)
            group.add("floor: simdjson DOM parse, \(size)", parse)
            group.add("decode, seed rule's fields, \(size)", decode)
            group.add("decode + match, seed rule, \(size)") { process(rules.seed.queries, $0) }
            group.add("prefilter + decode + match, seed rule, \(size)") {
                process(rules.seed.queries, $0, prefilter: rules.prefilter)
            }
            group.add("decode + match, 1,000 rules, \(size)") { process(rules.thousand, $0) }
            group.run(report, only: filter)
        }
        for (name, queries, corpus) in [
            ("the pack, mixed", rules.pack.queries, corpora.mixed),
            ("sample rule, only port 443", rules.sample.queries, corpora.connections),
            ("sequence rule, only port 443", rules.sequence, corpora.connections),
        ] {
            // Once through the corpus with a new evaluator: the watermark would take a second pass for late events.
            var group = Interleaved(corpus, scale, rounds: 1)
            group.add(name) { _ in
                let lane = Lane(queries)
                return { lane.run($0) }
            }
            group.run(report, only: filter)
        }
    }

    private func parse(_: Corpus) -> (Corpus) -> Void {
        let parser = FloorParser()
        return { corpus in corpus.eachRecord { record, _ in parser.parse(record) } }
    }

    private func decode(_ corpus: Corpus) -> (Corpus) -> Void {
        let decoder = rules.seed.queries.makeDecoder(limits: DecodeLimits())
        let work = { (corpus: Corpus) in
            corpus.eachRecord { record, _ in
                precondition(decoder.decode(record) == nil, "the corpus is JSON")
            }
        }
        work(corpus)
        return work
    }

    private func process(
        _ queries: CompiledQueries, _ corpus: Corpus, prefilter: Prefilter? = nil
    ) -> (Corpus) -> Void {
        let lane = Lane(queries, prefilter)
        lane.run(corpus)
        return { lane.run($0) }
    }
}

private final class FloorParser {
    private let parser = apus_floor_parser_create()

    func parse(_ record: UnsafeRawBufferPointer) {
        let bytes = record.baseAddress?.assumingMemoryBound(to: UInt8.self)
        precondition(apus_floor_parse(parser, bytes, record.count) == 1, "the corpus is JSON")
    }

    deinit { apus_floor_parser_destroy(parser) }
}

/// Workloads on one corpus, one run of each after the other and then the next: a moment in which the machine is busy
/// meets all of them, and the ratios stay.
struct Interleaved {
    private let corpus: Corpus
    private let runs: Int
    private let rounds: Int
    private var workloads: [Workload] = []

    private struct Workload {
        var name: String
        var prepare: (Corpus) -> (Corpus) -> Void
        var runs: [Run] = []
    }

    init(_ corpus: Corpus, _ scale: Scale, rounds: Int? = nil) {
        self.corpus = corpus
        runs = scale.runs
        self.rounds = rounds ?? scale.rounds
    }

    /// The first one is the floor of the others. `prepare` is called before every run, outside of what is measured.
    mutating func add(_ name: String, _ prepare: @escaping (Corpus) -> (Corpus) -> Void) {
        workloads.append(Workload(name: name, prepare: prepare))
    }

    mutating func run(_ report: Report, only filter: String? = nil) {
        if let filter { workloads.removeAll { !$0.name.contains(filter) } }
        for _ in 0..<runs {
            for index in workloads.indices {
                let work = workloads[index].prepare(corpus)
                let run = Run { for _ in 0..<rounds { work(corpus) } }
                workloads[index].runs.append(run)
            }
        }
        var floor: Figure?
        for workload in workloads {
            let figure = Figure(
                workload.name, events: corpus.count * rounds, bytes: corpus.payloadBytes * rounds,
                runs: workload.runs.map(\.nanoseconds), allocations: workload.runs.map(\.allocations))
            var ratios: [Double] = []
            for run in 0..<runs { ratios.append(workload.runs[run].nanoseconds / workloads[0].runs[run].nanoseconds) }
            report.add(floor.map { figure.over($0, runs: ratios) } ?? figure)
            if floor == nil { floor = figure }
        }
    }
}

/// An evaluator fed as a partition lane feeds it: batches, and the watermark moves after each.
final class Lane {
    static let batch = 1_000

    let evaluator: Evaluator
    private let source: Int
    private(set) var matches = 0

    init(_ queries: CompiledQueries, _ prefilter: Prefilter? = nil) {
        evaluator = Evaluator(
            queries, options: EvaluatorOptions(ordering: .stream(lateness: 2_000_000_000)), prefilter: prefilter)
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
