import CoreMetrics
import Foundation
import Telemetry
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite("Metrics")
struct MetricTests {
    // MARK: Names

    @Test("Names follow Prometheus: prefix, base unit, _total for counters only", arguments: MetricDescription.all)
    func names(metric: MetricDescription) {
        #expect(metric.name.hasPrefix("apus_") || metric.name.hasPrefix("process_"))
        #expect(metric.name.allSatisfy { $0.isASCII && ($0.isLowercase || $0 == "_") })
        #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter))
        for unit in ["_ms", "_milliseconds", "_nanoseconds", "_kb", "_percent"] {
            #expect(!metric.name.contains(unit))
        }
        if metric.kind == .histogram { #expect(metric.name.hasSuffix("_seconds")) }
        #expect(metric.help.hasSuffix("."))
    }

    @Test func noTwoMetricsShareAName() {
        #expect(Set(MetricDescription.all.map(\.name)).count == MetricDescription.all.count)
    }

    // MARK: Dashboards and rules

    /// The names of series in a PromQL expression that are ours.
    private func names(in expression: String) -> Set<String> {
        Set(
            expression.matches(of: /[a-zA-Z_:][a-zA-Z0-9_:]*/).map { String($0.output) }
                .filter { name in
                    name.hasPrefix("apus_") || name.hasPrefix("process_") || name.contains(":") && !name.hasSuffix(":")
                })
    }

    private var exposed: Set<String> { Set(MetricDescription.all.flatMap(\.seriesNames)) }

    private func lines(_ path: String) throws -> [Substring] {
        try String(contentsOf: root.appending(path: path), encoding: .utf8).split(separator: "\n")
    }

    private var recorded: Set<String> {
        get throws {
            Set(
                try lines("ops/prometheus/recording.yml").compactMap { line in
                    line.firstMatch(of: /- record: (\S+)/).map { String($0.output.1) }
                })
        }
    }

    @Test func everyQueryOfTheGrafanaDashboardAsksForMetricsThereAre() throws {
        let data = try Data(contentsOf: root.appending(path: "ops/grafana/apus.json"))
        var queries: [String] = []
        func collect(_ value: Any) {
            if let object = value as? [String: Any] {
                if let query = object["expr"] as? String { queries.append(query) }
                if let query = object["query"] as? String { queries.append(query) }
                object.values.forEach(collect)
            } else if let list = value as? [Any] {
                list.forEach(collect)
            }
        }
        collect(try JSONSerialization.jsonObject(with: data))
        #expect(queries.count > 40)
        let known = exposed.union(try recorded)
        for query in queries where query != "prometheus" {
            let unknown = names(in: query).subtracting(known)
            #expect(unknown.isEmpty, "\(query)")
            #expect(!names(in: query).isEmpty, "\(query)")
        }
    }

    @Test(arguments: ["recording.yml", "alerts.yml"])
    func everyRuleAsksForMetricsThereAre(file: String) throws {
        let text = try lines("ops/prometheus/\(file)").filter { line in
            // Neither what people read nor the paths of runbooks.
            !["summary:", "description:", "runbook:", "name:", "#"].contains { line.contains($0) }
        }.joined(separator: "\n")
        let unknown = names(in: text).subtracting(exposed).subtracting(try recorded)
        #expect(unknown.isEmpty)
    }

    @Test func everyAlertHasItsRunbookAndEveryRunbookItsAlert() throws {
        let alerts = try lines("ops/prometheus/alerts.yml").compactMap { line in
            line.firstMatch(of: /- alert: (\S+)/).map { String($0.output.1) }
        }
        let pages = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "ops/runbooks").path)
            .filter { $0 != "README.md" }.map { String($0.dropLast(3)) }
        #expect(alerts.sorted() == pages.sorted())
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool"), "promtool is not installed"))
    func promtoolAcceptsTheRulesAndTheirTests() throws {
        for arguments in [
            ["check", "rules", "ops/prometheus/recording.yml", "ops/prometheus/alerts.yml"],
            ["test", "rules", "ops/prometheus/tests.yml"],
        ] {
            let (status, output) = try promtool(arguments)
            #expect(status == 0, "\(output)")
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool"), "promtool is not installed"))
    func promtoolFindsNothingWrongWithTheExposition() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).prom")
        defer { try? FileManager.default.removeItem(at: file) }
        try Exposition.text(Sample.families).write(to: file, atomically: true, encoding: .utf8)
        let (status, output) = try promtool(["check", "metrics"], input: file)
        #expect(status == 0, "\(output)")
    }

    private func promtool(_ arguments: [String], input: URL? = nil) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/promtool")
        process.arguments = arguments
        process.currentDirectoryURL = root
        let output = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).txt")
        FileManager.default.createFile(atPath: output.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: output) }
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
    }

    // MARK: Exposition

    @Test func aReadingIsExposedUnderDeclaredNamesOnly() {
        let declared = Set(MetricDescription.all)
        for family in Sample.families { #expect(declared.contains(family.description), "\(family.description.name)") }
        let text = Exposition.text(Sample.families)
        #expect(text.contains("apus_records_consumed_total 1000\n"))
        #expect(text.contains("apus_records_decoded_total 997\n"))
        #expect(text.contains(#"apus_dead_letters_total{reason="not_json"} 3"#))
        #expect(text.contains("apus_script_block_parts_total 9\n"))
        #expect(text.contains(#"apus_script_blocks_total{outcome="incomplete"} 1"#))
        #expect(text.contains("apus_script_block_held_bytes 400\n"))
        #expect(text.contains(#"apus_rule_matches_total{rule_id="r-1"} 7"#))
        #expect(text.contains(#"apus_suppressed_total{rule_id="r-1"} 2"#))
        #expect(text.contains(#"apus_alerts_total{rule_id="r-1",severity="high"} 5"#))
        // A shadow rule raises none.
        #expect(text.contains(#"apus_alerts_total{rule_id="r-2",severity="low"} 0"#))
        #expect(text.contains(#"apus_consumer_lag_records{topic="events",partition="3"} 42"#))
        #expect(text.contains(#"apus_lanes{state="stalled"} 1"#))
        #expect(text.contains(#"apus_event_to_alert_seconds_bucket{le="0.5"} 1"#))
        #expect(text.contains(#"apus_event_to_alert_seconds_bucket{le="+Inf"} 2"#))
        #expect(text.contains("apus_event_to_alert_seconds_sum 2.25\n"))
        #expect(text.contains(#"apus_build_info{version="0.1.0",librdkafka="2.0.2",rules_hash="abc"} 1"#))
    }

    /// Prometheus refuses a scrape with the same series twice, whole.
    @Test func noSeriesIsExposedTwice() {
        let series = Exposition.text(Sample.families).split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { line in line[..<(line.lastIndex(of: " ") ?? line.endIndex)] }
        #expect(series.count > 50)
        #expect(Set(series).count == series.count)
    }

    @Test func lanesOfBothPipelinesAreToldApart() {
        let text = Exposition.text(Sample.families)
        #expect(text.contains(#"apus_watermark_delay_seconds{pipeline="input",partition="3"} 2.5"#))
        #expect(text.contains(#"apus_watermark_delay_seconds{pipeline="correlate",partition="3"} 4"#))
        #expect(text.contains(#"apus_outputs_outstanding{pipeline="input",partition="3"} 7"#))
        #expect(text.contains(#"apus_outputs_outstanding{pipeline="correlate",partition="3"} 0"#))
        // The correlate topic is no input.
        #expect(text.contains("apus_assigned_partitions 1\n"))
        #expect(text.contains(#"apus_consumer_lag_records{topic="apus.correlate",partition="3"} 5"#))
        #expect(text.contains("apus_hits_taken_total 12\n"))
        #expect(text.contains("apus_unknown_hits_total 1\n"))
    }

    @Test func everyDeclaredMetricIsExposed() {
        let registry = MetricRegistry()
        let runtime = RuntimeMetrics(registry)
        runtime.checkpoint(after: .milliseconds(3))
        let text = Exposition.text(
            Sample.families + registry.families() + .process(cpuSeconds: 1, residentBytes: 2, openDescriptors: 3)
                + [.dashboards(0)])
        for metric in MetricDescription.all { #expect(text.contains("# TYPE \(metric.name) \(metric.kind.rawValue)")) }
    }

    @Test func labelValuesCannotBreakALine() {
        let metric = MetricDescription("apus_test", .gauge, labels: ["name"], "A\nB\\.")
        let text = Exposition.text([MetricFamily(metric, [MetricSample(1.0, labels: ["a\"b\\c\nd"])])])
        #expect(text == "# HELP apus_test A\\nB\\\\.\n# TYPE apus_test gauge\napus_test{name=\"a\\\"b\\\\c\\nd\"} 1\n")
    }

    // MARK: swift-metrics

    @Test func whatIsCountedThroughSwiftMetricsIsExposed() {
        let registry = MetricRegistry()
        let runtime = RuntimeMetrics(registry)
        runtime.rebalanced(.lost)
        runtime.rebalanced(.lost)
        runtime.transaction(.committed, after: .milliseconds(40))
        Counter(label: "some.library-counter", dimensions: [("kind", "x")], factory: registry).increment(by: 3)
        let text = Exposition.text(registry.families())
        #expect(text.contains(#"apus_rebalances_total{kind="lost"} 2"#))
        #expect(text.contains(#"apus_rebalances_total{kind="assigned"} 0"#))
        #expect(text.contains(#"apus_transaction_duration_seconds_bucket{le="0.05"} 1"#))
        #expect(text.contains(#"some_library_counter{kind="x"} 3"#))
    }

    @Test func aLibraryCannotFillTheMemoryWithLabels() {
        let registry = MetricRegistry()
        for number in 0..<(MetricRegistry.maximumSeries + 50) {
            Counter(label: "many", dimensions: [("n", String(number))], factory: registry).increment()
        }
        #expect(registry.families().first?.samples.count == MetricRegistry.maximumSeries)
    }

    // MARK: Histograms and totals

    @Test(arguments: [(0.0, 0.0), (0.5, 0.075), (1.0, 0.1)])
    func quantilesAreInterpolatedWithinTheirBucket(q: Double, expected: Double) throws {
        var histogram = Histogram()
        for _ in 0..<10 { histogram.observe(0.06) }
        let quantile = try #require(histogram.quantile(q))
        #expect(abs(quantile - max(expected, 0.05 + 0.05 * q)) < 1e-9)
        #expect(Histogram().quantile(q) == nil)
    }

    @Test func aLedgerForgetsNothingOfLanesThatAreGone() {
        var ledger = LaneLedger()
        var totals = LaneTotals()
        totals.records = 5
        totals.findings = [1, 0]
        totals.deadLetters = ["not_json": 2]
        ledger.note(totals, of: 1)
        totals.records = 9
        ledger.close(totals, of: 1)
        // A reading that was taken before the end and comes after it.
        totals.records = 7
        ledger.note(totals, of: 1)
        ledger.close(totals, of: 1)
        var other = LaneTotals()
        other.records = 1
        other.findings = [0, 4]
        ledger.note(other, of: 2)
        #expect(ledger.totals.records == 10)
        #expect(ledger.totals.findings == [1, 4])
        #expect(ledger.totals.deadLetters == ["not_json": 2])
    }

    @Test func aLedgerFollowsAnotherSetOfRules() {
        var ledger = LaneLedger()
        var totals = LaneTotals()
        totals.records = 5
        totals.findings = [1, 2]
        totals.exceptions = [7]
        ledger.close(totals, of: 1)
        ledger.note(totals, of: 2)
        // The first rule has gone, another has come before the second.
        ledger.arrange(rules: [nil, 1], exceptions: [])
        var next = LaneTotals()
        next.findings = [10, 20]
        ledger.note(next, of: 3)
        #expect(ledger.totals.findings == [10, 24])
        #expect(ledger.totals.exceptions.isEmpty)
        #expect(ledger.totals.records == 10)
    }
}

enum Sample {
    static let engine = EngineDescription(
        application: "apus", instance: "host:1", version: "0.1.0", clientVersion: "2.0.2", started: 1000,
        rulesHash: "abc",
        rules: [
            .init(id: "r-1", name: "One", severity: "high", stage: "active", hash: "h1", path: "one.toml"),
            .init(id: "r-2", name: "Two", severity: "low", stage: "shadow", hash: "h2", path: "two.toml"),
        ],
        exceptions: ["e-1"])

    static var families: [MetricFamily] {
        var totals = LaneTotals()
        totals.records = 1000
        totals.decoded = 997
        totals.deadLetters = ["not_json": 3, "not_forwarded": 2]
        totals.hits = 12
        totals.unknownHits = 1
        totals.scriptBlockParts = 9
        totals.scriptBlocks = ["complete": 3, "incomplete": 1, "evicted": 0]
        totals.findings = [7, 4]
        totals.suppressed = [2, 0]
        totals.costs = [RuleCost(samples: 2, nanoseconds: 800), RuleCost()]
        totals.exceptions = [1]
        totals.expiredExceptions = [0]
        totals.stateSkipped = ["torn": 1]
        totals.eventToAlert.observe(0.25)
        totals.eventToAlert.observe(2)
        var input = LaneReading(
            id: 1, pipeline: .input, partition: 3, state: .stalled,
            sources: [.init(topic: "events", position: 10, lag: 42, lagSeconds: 1.5, waiting: 40)],
            outstanding: 7, watermarkDelay: 2.5, totals: totals)
        input.scriptBlockBytes = 400
        let correlate = LaneReading(
            id: 2, pipeline: .correlate, partition: 3, state: .reading,
            sources: [.init(topic: "apus.correlate", position: 4, lag: 5, lagSeconds: 1, waiting: 5)],
            watermarkDelay: 4)
        return EngineReading(time: 2000, isReady: false, hasStarted: true, lanes: [input, correlate], totals: totals)
            .families(engine, now: 2001)
    }
}
