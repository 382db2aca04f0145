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

            Example:
              apus health --file /run/apus/health.json
            """)

    @Option(help: "The heartbeat file; APUS_HEALTH_FILE names it otherwise.")
    var file: String?

    @Option(help: "Seconds after which a heartbeat is too old.")
    var maxAge: Double = 10

    @Flag(help: "Only ask whether the instance is alive, not whether it is ready.")
    var live = false

    func run() throws {
        guard let path = file ?? ProcessInfo.processInfo.environment["APUS_HEALTH_FILE"] else {
            throw ValidationError("name the heartbeat file with --file or APUS_HEALTH_FILE")
        }
        guard let data = FileManager.default.contents(atPath: path),
            let beat = try? JSONDecoder().decode(HealthFile.Beat.self, from: data)
        else {
            Console.print("no heartbeat in \(path): the instance is not running, or health.file is not set")
            throw ExitStatus.negative.code
        }
        let age = Date().timeIntervalSince1970 - beat.time
        Console.print(beat.jsonLine)
        guard age <= maxAge else {
            Console.note(String(format: "the last heartbeat is %.0f s old", age))
            throw ExitStatus.negative.code
        }
        if !live, !beat.ready { throw ExitStatus.negative.code }
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
