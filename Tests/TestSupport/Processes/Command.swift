public import Foundation

/// Something that a test waited for did not happen.
public struct NotInTime: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
        self.description = description
    }
}

/// Waits until `condition` holds.
///
/// - Throws: ``NotInTime`` with the caller's place, if that takes too long.
public func eventually(
    _ what: @autoclosure () -> String, seconds: Int = 40, file: StaticString = #fileID, line: Int = #line,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            throw NotInTime(description: "\(file):\(line): not in \(seconds) s: \(what())")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// The checkout: where configuration and rules are found.
public let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

/// A process of the built binary, or of another program, with what it writes.
///
/// Its input and outputs are files: pipes that are made while another test starts a process are inherited by it,
/// and then never end.
///
/// `@unchecked Sendable` because `Process` is only used by the test that started it.
public final class Command: @unchecked Sendable {
    private let process = Process()
    private let folder: Folder
    private let files: (output: URL, errors: URL)

    /// Starts `apus`.
    public static func apus(
        _ arguments: String..., input: Data = Data(), environment: [String: String] = [:]
    ) throws -> Command {
        try apus(arguments, input: input, environment: environment)
    }

    public static func apus(
        _ arguments: [String], input: Data = Data(), environment: [String: String] = [:]
    ) throws -> Command {
        try Command(try binary(), arguments, input: input, environment: environment)
    }

    /// The built `apus`: the build puts it beside the tests.
    public static func binary() throws -> String {
        let tests = URL(filePath: CommandLine.arguments[0])
        let binary = tests.deletingLastPathComponent().appending(path: "apus").path
        guard FileManager.default.isExecutableFile(atPath: binary) else {
            throw NotInTime(description: "no apus beside \(tests.path): build it first")
        }
        return binary
    }

    public init(_ path: String, _ arguments: [String], input: Data = Data(), environment: [String: String] = [:]) throws
    {
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
        let ends = [
            try FileHandle(forReadingFrom: inputFile), try FileHandle(forWritingTo: files.output),
            try FileHandle(forWritingTo: files.errors),
        ]
        // The process has its own by then, and Foundation keeps these for good. From about 1,365 descriptors on, it
        // reads beyond the list of them when it starts the next process (swift-corelibs-foundation of Swift 6.3).
        defer { for end in ends { try? end.close() } }
        (process.standardInput, process.standardOutput, process.standardError) = (ends[0], ends[1], ends[2])
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    public var output: String { Self.text(of: files.output) }
    public var errors: String { Self.text(of: files.errors) }
    public var lines: [String] { output.split(separator: "\n").map(String.init) }
    public var isRunning: Bool { process.isRunning }

    public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end. Its exit status, or minus the signal that ended it.
    public func status(seconds: Int = 40, file: StaticString = #fileID, line: Int = #line) async throws -> Int32 {
        try await eventually("end of the process: \(errors)", seconds: seconds, file: file, line: line) {
            !process.isRunning
        }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    public var processID: Int32 { process.processIdentifier }

    /// Empty when there is none; the test that expects some then says so.
    private static func text(of file: URL) -> String {
        String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
    }
}

/// A folder of its own that is removed with the value.
public final class Folder: Sendable {
    public let url = URL.temporaryDirectory.appending(path: "apus-commands-\(UUID().uuidString)")

    public init() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file and returns its path.
    public func write(_ text: String, to name: String) throws -> String {
        let file = url.appending(path: name)
        try Data(text.utf8).write(to: file)
        return file.path
    }
}
