import Detection
import Foundation
import Logging
import Operations
import Telemetry

/// What being watched costs: a scrape of /metrics over HTTP, against the events of the 15 seconds between two scrapes.
///
/// In CPU time of the process, which waits and neighbours on the machine do not change.
struct ScrapeWorkload {
    /// Seconds; Prometheus' usual choice, and that of `ops/prometheus`.
    private static let interval = 15.0
    private static let partitions = 12

    let rules: BenchRules
    let corpora: Corpora
    let scale: Scale

    func run(_ report: Report) async throws {
        let curl = "/usr/bin/curl"
        guard FileManager.default.isExecutableFile(atPath: curl) else {
            return report.note("left out: \(curl) is not there")
        }
        let lane = Lane(rules.seed.queries)
        let event = (0..<scale.runs).map { _ in
            Run { lane.run(corpora.kilobyte) }.nanoseconds / Double(corpora.kilobyte.count)
        }.sorted()[scale.runs / 2]
        for count in [rules.pack.rules.count, 1_000] {
            let scrapes = 20 * scale.runs
            let (nanoseconds, bytes) = try await measure(curl, rules: count, scrapes: scrapes)
            let name = "a scrape, \(count) rules, \(Self.partitions) partitions"
            report.add(
                Measure(
                    name: "\(name): CPU", value: nanoseconds / 1e6, unit: "ms",
                    remark: "mean of \(scrapes); \(bytes / 1000) KB; as much as \(Int(nanoseconds / event)) events"))
            report.add(
                Measure(
                    name: "\(name): share of throughput", value: nanoseconds / (Self.interval * 1e9) * 100, unit: "%",
                    remark: """
                        of the \(Int(Self.interval * 1e9 / event)) events that one core evaluates between two scrapes, \
                        \(Int(Self.interval)) s apart
                        """))
        }
    }

    /// CPU nanoseconds of this process for one scrape, and its bytes.
    private func measure(_ curl: String, rules: Int, scrapes: Int) async throws -> (Double, bytes: Int) {
        let feed = OperationsFeed(Self.engine(rules: rules))
        let registry = MetricRegistry()
        let runtime = RuntimeMetrics(registry)
        for number in 1...100 { runtime.checkpoint(after: .milliseconds(number)) }
        feed.publish(Self.reading(rules: rules))
        let server = OperationsServer(
            OperationsOptions(host: "127.0.0.1", port: 0), feed: feed, registry: registry,
            logger: Logger(label: "bench"))
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let serving = Task {
            defer { listening.finish() }
            try await server.run { listening.yield($0) }
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else {
            try await serving.value
            return (0, 0)
        }
        let url = "http://127.0.0.1:\(port)/metrics"
        let page = try await Self.output(curl, ["-sS", url])
        let before = Self.processTime()
        _ = try await Self.output(curl, ["-sS", "--output", "/dev/null", "\(url)?[1-\(scrapes)]"])
        let taken = Self.processTime() - before
        serving.cancel()
        _ = try? await serving.value
        return (Double(taken) / Double(scrapes), page.count)
    }

    private static func output(_ path: String, _ arguments: [String]) async throws -> Data {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardOutput = pipe
        try process.run()
        // On a thread of its own: those of the pool serve what is asked for.
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                continuation.resume(returning: data)
            }
        }
    }

    private static func processTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    // MARK: What there is to scrape

    private static func engine(rules: Int) -> EngineDescription {
        EngineDescription(
            application: "bench", instance: "bench", version: "0", clientVersion: "0", started: 0, rulesHash: "0",
            rules: (0..<rules).map {
                .init(
                    id: String(format: "5f0c8a36-9d1e-4b77-8e43-%012d", $0), name: "Rule \($0)", severity: "high",
                    stage: "active", hash: "0", path: "\($0).toml")
            },
            exceptions: [])
    }

    private static func reading(rules: Int) -> EngineReading {
        var totals = LaneTotals()
        totals.records = 123_456_789
        totals.deadLetters = ["not_json": 17, "too_large": 3]
        totals.findings = Array(repeating: 41, count: rules)
        totals.suppressed = Array(repeating: 7, count: rules)
        totals.costs = Array(repeating: RuleCost(samples: 1_000, nanoseconds: 234_567), count: rules)
        for step in 1...1_000 { totals.eventToAlert.observe(Double(step) / 1_000) }
        let lanes = LaneReading.Pipeline.allCases.flatMap { pipeline in
            (0..<partitions).map { partition in
                LaneReading(
                    id: UInt64(partition), pipeline: pipeline, partition: Int32(partition), state: .reading,
                    sources: [
                        .init(topic: pipeline.rawValue, position: 4_711, lag: 12, lagSeconds: 0.25, waiting: 12)
                    ],
                    outstanding: 3, keys: 180, watermarkDelay: 2.125)
            }
        }
        return EngineReading(
            time: Date().timeIntervalSince1970, isReady: true, hasStarted: true, lanes: lanes, totals: totals)
    }
}
