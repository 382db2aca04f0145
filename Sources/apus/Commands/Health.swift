import ArgumentParser
import Foundation
import KafkaClient
import Streaming

struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says whether a running instance is alive and ready.",
        discussion: """
            Reads the heartbeat file that apus run writes when health.file is set. Exit code 0 if the instance is \
            ready, 1 if it is not, or if its last heartbeat is too old. Meant for container health checks.

            With --output json: healthy (what the exit code says), alive, ready, age of the heartbeat in seconds, \
            problems as sentences, and the heartbeat itself.

            Examples:
              apus health --file /run/apus/health.json
              apus health --live --output json
            """)

    @Option(help: "The heartbeat file; APUS_HEALTH_FILE names it otherwise.")
    var file: String?

    @Option(help: "Seconds after which a heartbeat is too old.")
    var maxAge: Double = 10

    @Flag(help: "Only ask whether the instance is alive, not whether it is ready.")
    var live = false

    @Option(help: "How to write the answer: text or json.")
    var output: OutputFormat = .text

    func run() throws {
        guard let path = file ?? ProcessInfo.processInfo.environment["APUS_HEALTH_FILE"] else {
            throw ValidationError("name the heartbeat file with --file or APUS_HEALTH_FILE")
        }
        let beat = FileManager.default.contents(atPath: path).flatMap {
            try? JSONDecoder().decode(HealthFile.Beat.self, from: $0)
        }
        let verdict = HealthVerdict(
            beat, in: path, now: Date().timeIntervalSince1970, maxAge: maxAge, asksForReadiness: !live)
        Console.print(output == .json ? verdict.jsonLine : verdict.text)
        if !verdict.healthy { throw ExitStatus.negative.code }
    }
}

/// What a heartbeat says of an instance.
struct HealthVerdict: Encodable {
    /// What was asked for: that it is ready, or only that it is alive.
    var healthy: Bool { problems.isEmpty }
    let alive: Bool
    let ready: Bool
    /// Of the heartbeat, in seconds.
    let age: Double?
    /// Why it is not healthy, each a sentence without a full stop.
    private(set) var problems: [String] = []
    let heartbeat: HealthFile.Beat?

    init(_ beat: HealthFile.Beat?, in path: String, now: Double, maxAge: Double, asksForReadiness: Bool) {
        heartbeat = beat
        age = beat.map { now - $0.time }
        alive = age.map { $0 <= maxAge } ?? false
        ready = alive && beat?.ready == true
        guard let beat else {
            problems.append("no heartbeat in \(path): the instance is not running, or health.file is not set")
            return
        }
        if !alive { problems.append("the last heartbeat is \(Int(now - beat.time)) s old") }
        guard asksForReadiness, !beat.ready else { return }
        if let failure = beat.failure { problems.append("stopped by an error: \(failure)") }
        if !beat.stalled.isEmpty {
            let partitions = beat.stalled.map(String.init).joined(separator: ", ")
            problems.append("stalled: partition \(partitions) has records and takes none")
        }
        if beat.failure == nil, beat.stalled.isEmpty {
            problems.append("not ready: no partition is assigned, or lanes take up their state")
        }
    }

    /// For a person: the problems, and what the instance does.
    var text: String {
        let state = heartbeat.map { beat in
            "\(ready ? "ready" : alive ? "alive" : "last seen"): \(beat.lanes) lanes, lag \(beat.lag); "
                + "\(beat.records) records, \(beat.alerts) alerts, \(beat.deadLetters) dead letters"
        }
        return (problems + (state.map { [$0] } ?? [])).joined(separator: "\n")
    }

    private enum CodingKeys: CodingKey { case healthy, alive, ready, age, problems, heartbeat }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(healthy, forKey: .healthy)
        try container.encode(alive, forKey: .alive)
        try container.encode(ready, forKey: .ready)
        try container.encode(age, forKey: .age)
        try container.encode(problems, forKey: .problems)
        try container.encode(heartbeat, forKey: .heartbeat)
    }
}

/// A file that says once a second how the instance is; replaced as a whole, so readers never see half of it.
struct HealthFile: Sendable {
    struct Beat: Codable {
        /// Seconds since 1970.
        var time: Double
        var ready: Bool
        var lanes: Int
        var stalled: [Int32]
        var records: UInt64
        var alerts: UInt64
        var deadLetters: UInt64
        var lag: Int64
        var failure: String?
    }

    let path: String

    func write(_ snapshot: PipelineSnapshot) {
        let beat = Beat(
            time: Date().timeIntervalSince1970, ready: snapshot.isReady, lanes: snapshot.lanes.count,
            stalled: snapshot.lanes.filter(\.isStalled).map(\.partition), records: snapshot.records,
            alerts: snapshot.alerts, deadLetters: snapshot.deadLetters, lag: snapshot.lag,
            failure: snapshot.failure?.description)
        // A heartbeat that cannot be written shows as one that is too old.
        try? Data((beat.jsonLine + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
