import Foundation
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
/// Its input and outputs are files: pipes that are made while another test starts a process are inherited by it,
/// and then never end.
///
/// `@unchecked Sendable` because `Process` is only used by the test that started it.
final class Command: @unchecked Sendable {
    private let process = Process()
    private let folder: Folder
    private let files: (output: URL, errors: URL)

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

    init(_ path: String, _ arguments: [String], input: Data = Data(), environment: [String: String] = [:]) throws {
        folder = try Folder()
        files = (folder.url.appending(path: "output"), folder.url.appending(path: "errors"))
        let inputFile = folder.url.appending(path: "input")
        for (file, content) in [(inputFile, input), (files.output, Data()), (files.errors, Data())] {
            try content.write(to: file)
        }
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.currentDirectoryURL = packageRoot
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("APUS_") }
            .merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: files.output)
        process.standardError = try FileHandle(forWritingTo: files.errors)
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    var output: String { Self.text(of: files.output) }
    var errors: String { Self.text(of: files.errors) }
    var lines: [String] { output.split(separator: "\n").map(String.init) }
    var isRunning: Bool { process.isRunning }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end. Its exit status, or minus the signal that ended it.
    func status(sourceLocation: SourceLocation = #_sourceLocation) async throws -> Int32 {
        try await eventually("end of the process: \(errors)", sourceLocation: sourceLocation) { !process.isRunning }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Empty when there is none; the test that expects some then says so.
    private static func text(of file: URL) -> String {
        String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
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
