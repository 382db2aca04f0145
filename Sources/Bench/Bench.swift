import ArgumentParser
import Foundation

/// `make bench`: how fast Apus is on this machine, beside floors measured in the same run.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures decoding, matching, correlation, apus eval and the way through Kafka.",
        discussion: """
            Run it from the root of the repository, built for release; make bench does both. Every figure is the \
            median of several runs; spread is the distance from the fastest run to the slowest, in percent of the \
            median. The method and past results are in ops/benchmarks.md.
            """)

    @Flag(help: "Few events and runs: shows that everything works, not how fast it is.")
    var quick = false

    @Option(help: "Also write the figures into this file, between the marks it has for them.")
    var report: String?

    @Flag(help: "Print one JSON object instead of tables.")
    var json = false

    @Flag(help: "Leave out the broker and everything that needs another process.")
    var engineOnly = false

    @Option(help: "Only engine workloads whose name holds this text; for profiling.")
    var only: String?

    @Option(help: "The folder with the rules of the mail collection pack.")
    var rules = "config/rules/t1114_002"

    func run() async throws {
        let scale = quick ? Scale.quick : Scale.full
        let report = Report(isJSON: json, path: self.report)
        let rules = try BenchRules(folder: rules)
        let corpora = try Corpora(scale)
        report.section("Engine, one thread, records in memory (CPU time)")
        EngineWorkloads(rules: rules, corpora: corpora, scale: scale).run(report, only: only)
        report.section("Rules, one thread, records in memory (CPU time)")
        try RuleCountWorkload(corpora: corpora, scale: scale, isAlone: engineOnly).run(report, only: only)
        if only == nil {
            report.section("Memory of what waits")
            PartialsWorkload(rules: rules, scale: scale).run(report)
            report.section("Lanes on threads of their own (wall time)")
            LanesWorkload(rules: rules, corpora: corpora, scale: scale).run(report)
            report.section("Metrics, scraped over HTTP (CPU time of the process)")
            try await ScrapeWorkload(rules: rules, corpora: corpora, scale: scale).run(report)
        }
        if !engineOnly, only == nil {
            report.section("A file of 1 KB events (CPU time of the process, without its start)")
            let file = try FileWorkload(rules: rules, corpora: corpora, scale: scale)
            defer { file.removeFiles() }
            try file.run(report)
            report.section("Kafka, embedded broker in the same process (wall time)")
            try await BrokerWorkload(rules: rules, corpora: corpora, scale: scale).run(report)
            report.section("Kafka, processes of their own")
            try StreamWorkload(corpora: corpora, isQuick: quick).run(report)
            report.section("A killed instance comes back, each host half through a sequence")
            ScriptWorkload(
                script: "state",
                arguments: ["--apus", Child.apus, "restart"] + (quick ? ["--hosts", "500", "--backlog", "500"] : [])
            ).run(report)
        }
        try report.finish()
    }
}

/// How much is measured.
struct Scale {
    var runs: Int
    /// Different records of a corpus; they exceed the caches near a core.
    var records: Int
    /// How often one run goes through them.
    var rounds: Int
    /// Lines of the file.
    var lines: Int
    /// Partitions of the topic; the embedded broker keeps about 5 MB of each.
    var partitions: Int
    /// Sizes of the generated rule sets.
    var ruleCounts: [Int]
    /// Sequences that wait for their second event.
    var partials: Int

    static let full = Scale(
        runs: 9, records: 20_000, rounds: 5, lines: 400_000, partitions: 48,
        ruleCounts: [1, 10, 100, 1_000, 10_000], partials: 100_000)
    static let quick = Scale(
        runs: 3, records: 2_000, rounds: 1, lines: 10_000, partitions: 4, ruleCounts: [1, 10, 100], partials: 2_000)
}
