import Dispatch
import Foundation
import Logging
import NIOCore
import Synchronization
import Telemetry
import Testing

@testable import Operations

/// Runs what waits on a thread of its own: those of Swift's pool are few, and the server under test needs them.
func waiting<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
    }
}

extension Process {
    /// Runs to the end.
    func finish() async throws -> Int32 {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            terminationHandler = { _ in continuation.resume() }
            do {
                try run()
            } catch {
                terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        return terminationStatus
    }
}

/// A server on a free port, with a feed that the test fills.
final class Stage: Sendable {
    let feed: OperationsFeed
    let registry = MetricRegistry()
    let port: Int
    private let task: Task<Void, any Error>

    init(
        host: String = "127.0.0.1", credentials: [OperationsOptions.Credential] = [],
        tls: OperationsOptions.TLSFiles? = nil, reload: (@Sendable () async -> ReloadReport)? = nil
    ) async throws {
        feed = OperationsFeed(Self.engine)
        _ = RuntimeMetrics(registry)
        let server = OperationsServer(
            OperationsOptions(host: host, port: 0, credentials: credentials, tls: tls), feed: feed,
            registry: registry, logger: Logger(label: "test"), reload: reload)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let task = Task {
            defer { continuation.finish() }
            try await server.run { continuation.yield($0) }
        }
        self.task = task
        var found: Int?
        for await port in ports {
            found = port
            break
        }
        if found == nil { try await task.value }
        port = try #require(found)
    }

    func stop() async {
        task.cancel()
        _ = try? await task.value
    }

    // MARK: Asking

    struct Answer {
        var status: Int
        var headers: [String: String]
        var body: String
    }

    /// One request by curl, which is its own judge of HTTP and TLS.
    func get(_ path: String, _ arguments: String..., scheme: String = "http") async throws -> Answer {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (headers, body) = (folder.appending(path: "headers"), folder.appending(path: "body"))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/curl")
        process.arguments =
            ["-sS", "--max-time", "20", "-D", headers.path, "-o", body.path] + arguments
            + ["\(scheme)://127.0.0.1:\(port)\(path)"]
        process.standardInput = FileHandle.nullDevice
        #expect(try await process.finish() == 0, "curl \(path)")
        let lines = try String(contentsOf: headers, encoding: .utf8).split(whereSeparator: \.isNewline)
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        let fields = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        return Answer(
            status: try #require(status), headers: Dictionary(fields, uniquingKeysWith: { $1 }),
            body: (try? String(contentsOf: body, encoding: .utf8)) ?? "")
    }

    // MARK: What there is to show

    static let engine = EngineDescription(
        application: "mail-detection", instance: "kafka-07:4711", version: "0.1.0", clientVersion: "2.0.2",
        started: Date().timeIntervalSince1970, rulesHash: "9f31c2aa70b1d4e8",
        rules: [
            ("Mail collection command with a connection to port 443", "critical", "active"),
            ("Mailbox exported to a PST on a network share", "high", "active"),
            ("MailSniper or a similar tool in a script block", "high", "active"),
            ("Offline Outlook data file copied by another program", "high", "active"),
            ("Exchange Web Services client in PowerShell", "medium", "active"),
            ("Unusual user agent at Exchange Web Services", "low", "active"),
            ("Global address list read by a script", "low", "shadow"),
        ].enumerated().map { index, rule in
            .init(
                id: "rule-\(index)", name: rule.0, severity: rule.1, stage: rule.2, hash: "hash-\(index)",
                path: "config/rules/\(index).toml")
        },
        exceptions: ["mailbox-moves"])

    /// A reading that looks like a day at work: `second` says how long it has gone on.
    static func reading(
        _ second: Int, time: Double? = nil, stalled: Bool = false, isReady: Bool = true
    ) -> EngineReading {
        var totals = LaneTotals()
        var records = 0.0
        for past in 0...second {
            let time = Double(past)
            records += 46_000
            records += 9_000 * sin(time / 19)
            records += 4_000 * sin(time / 3)
        }
        totals.records = UInt64(records)
        totals.bytes = totals.records * 1180
        totals.deadLetters = ["not_json": UInt64(second / 3), "too_large": UInt64(second / 40), "invalid_utf8": 2]
        totals.findings = [3, 7, 12, 2, 31, 58, 140].map { $0 * UInt64(second + 20) / 80 }
        totals.suppressed = [0, 0, 2, 0, 9, 20, 0]
        totals.costs = [410, 180, 920, 240, 350, 160, 130].map { RuleCost(samples: 10, nanoseconds: $0 * 10) }
        totals.stateSkipped = ["torn": 3]
        totals.scriptBlocks = ["complete": 2]
        totals.exceptions = [4]
        totals.expiredExceptions = [0]
        for step in 0..<(second * 3) { totals.eventToAlert.observe(0.02 + 0.06 * abs(sin(Double(step) / 11))) }
        let lanes = (0..<6).map { partition in
            var own = LaneTotals()
            own.records = totals.records / 6 + UInt64(partition * 997)
            let phase = Double(second) / 23 + Double(partition)
            let lag = Int64(max(0, 240 * sin(phase) + 60))
            return LaneReading(
                id: UInt64(partition), pipeline: .input, partition: Int32(partition),
                state: stalled && partition == 2 ? .stalled : partition == 4 && second % 60 > 50 ? .paused : .reading,
                sources: [
                    .init(
                        topic: "events", position: Int64(own.records), lag: lag, lagSeconds: lag > 0 ? 0.4 : 0,
                        waiting: Int(lag))
                ],
                alerts: 4, outstanding: 3, keys: 180 + partition * 7, watermarkDelay: 2.1, totals: own)
        }
        return EngineReading(
            time: time ?? Date().timeIntervalSince1970, isReady: isReady && !stalled, hasStarted: true, lanes: lanes,
            totals: totals)
    }
}
