import Foundation
import Synchronization
import Testing

/// Waits until `condition` holds; fails the test if that takes too long.
func eventually(
    _ what: String, seconds: Int = 40, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, "not in \(seconds) s: \(what)", sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// The checkout: where configuration and rules are found.
let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// A process of the built binary, or of another program, with what it writes.
///
/// `@unchecked Sendable` because `Process` is only used by the test that started it; outputs are in a Mutex.
final class Command: @unchecked Sendable {
    private let process = Process()
    private let input: Pipe
    private let pipes: [Pipe]
    private let written = Written()

    private final class Written: Sendable {
        let bytes = Mutex<[Data]>([Data(), Data()])
        let open = Mutex(2)
    }

    /// Held while pipes are made and processes start.
    private static let spawning = Mutex(())

    /// Starts `apus`.
    static func apus(
        _ arguments: String..., input: Data = Data(), environment: [String: String] = [:]
    ) throws -> Command {
        try apus(arguments, input: input, environment: environment)
    }

    static func apus(
        _ arguments: [String], input: Data = Data(), environment: [String: String] = [:]
    ) throws -> Command {
        try Command(try binary(), arguments, input: input, environment: environment)
    }

    /// The built `apus`: the build puts it beside the tests.
    static func binary() throws -> String {
        let tests = URL(filePath: CommandLine.arguments[0])
        let binary = tests.deletingLastPathComponent().appending(path: "apus").path
        try #require(FileManager.default.isExecutableFile(atPath: binary), "no apus beside \(tests.path)")
        return binary
    }

    init(_ path: String, _ arguments: [String], input bytes: Data = Data(), environment: [String: String] = [:]) throws {
        (input, pipes) = Self.spawning.withLock { _ in
            // Another test's process must not inherit an end of these and hold it open.
            let made = [Pipe(), Pipe(), Pipe()]
            for pipe in made {
                for handle in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
                    _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
                }
            }
            return (made[0], Array(made[1...]))
        }
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.currentDirectoryURL = packageRoot
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("APUS_") }
            .merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = pipes[0]
        process.standardError = pipes[1]
        for (index, pipe) in pipes.enumerated() {
            pipe.fileHandleForReading.readabilityHandler = { [written] handle in
                let data = handle.availableData
                if data.isEmpty {
                    handle.readabilityHandler = nil
                    written.open.withLock { $0 -= 1 }
                } else {
                    written.bytes.withLock { $0[index].append(data) }
                }
            }
        }
        try Self.spawning.withLock { _ in try process.run() }
        let writer = input.fileHandleForWriting
        DispatchQueue.global().async {
            // A process that ends before it has read everything is no error here.
            try? writer.write(contentsOf: bytes)
            try? writer.close()
        }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    var output: String { String(decoding: written.bytes.withLock { $0[0] }, as: UTF8.self) }
    var errors: String { String(decoding: written.bytes.withLock { $0[1] }, as: UTF8.self) }
    var lines: [String] { output.split(separator: "\n").map(String.init) }
    var isRunning: Bool { process.isRunning }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end and for the last of its output; its exit status, or minus the signal that ended it.
    func status(sourceLocation: SourceLocation = #_sourceLocation) async throws -> Int32 {
        try await eventually("end of the process: \(errors)", sourceLocation: sourceLocation) {
            !process.isRunning && written.open.withLock { $0 == 0 }
        }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}

/// A folder of its own that is removed with the value.
final class Folder: Sendable {
    let url = URL.temporaryDirectory.appending(path: "apus-commands-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file and returns its path.
    func write(_ text: String, to name: String) throws -> String {
        let file = url.appending(path: name)
        try Data(text.utf8).write(to: file)
        return file.path
    }
}

// MARK: Rules and events

func ruleFile(_ number: Int, _ query: String) -> String {
    """
    [rule]
    name = "Rule \(number)"
    rule_id = "00000000-0000-4000-8000-00000000000\(number)"
    description = "Fires in tests."
    severity = "high"
    risk_score = 73
    type = "eql"
    query = '''
    \(query)
    '''
    """
}

let goodRule = ruleFile(1, #"any where event.action == "alert""#)
let brokenRule = ruleFile(2, #"any where event.action = "alert""#)

func event(_ action: String, second: Int = 0, host: String = "h1", more: String = "") -> String {
    let time = "2025-01-01T00:00:\(second < 10 ? "0" : "")\(second)Z"
    return #"{"@timestamp":"\#(time)","event":{"action":"\#(action)"},"host":{"id":"\#(host)"}\#(more)}"#
}

func lines(_ events: String...) -> Data { Data(events.map { $0 + "\n" }.joined().utf8) }

func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}
