import Foundation
import Glibc
import Testing

/// A headless Chromium, spoken to over two pipes by the DevTools protocol.
///
/// `@unchecked Sendable` because it is only used by the test that started it, one call at a time.
final class Browser: @unchecked Sendable {
    static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let process = Process()
    private let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    private let commands: Int32
    private let answers: Int32
    private var pending: [UInt8] = []
    private var number = 0
    private var session: String?
    /// What the pages complained of.
    private(set) var complaints: [String] = []

    init() async throws {
        let path = try #require(Self.path)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (input, output) = (folder.appending(path: "in").path, folder.appending(path: "out").path)
        guard mkfifo(input, 0o600) == 0, mkfifo(output, 0o600) == 0 else { throw Failure(description: "mkfifo") }
        // Both ways, so that opening waits for nobody.
        commands = open(input, O_RDWR | O_CLOEXEC)
        answers = open(output, O_RDWR | O_CLOEXEC)
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [
            "-c",
            """
            exec "$1" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
            --remote-debugging-pipe --user-data-dir="$2/profile" about:blank 3<"$2/in" 4>"$2/out"
            """, "bash", path, folder.path,
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let target = try await call("Target.createTarget", ["url": "about:blank"])["targetId"] as? String
        let attached = try await call(
            "Target.attachToTarget", ["targetId": try #require(target), "flatten": true])
        session = attached["sessionId"] as? String
        for domain in ["Page", "Runtime", "Log"] { _ = try await call("\(domain).enable") }
    }

    func close() async {
        session = nil
        _ = try? await call("Browser.close")
        _ = try? await waiting { [process] in process.waitUntilExit() }
        _ = Glibc.close(commands)
        _ = Glibc.close(answers)
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: What a person does

    func show(_ url: String, width: Int = 1440, height: Int = 900, scheme: String = "light") async throws {
        _ = try await call(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700])
        _ = try await call(
            "Emulation.setEmulatedMedia", ["features": [["name": "prefers-color-scheme", "value": scheme]]])
        _ = try await call("Page.navigate", ["url": url])
    }

    /// The value of an expression.
    func value(_ expression: String) async throws -> Any? {
        let answer = try await call(
            "Runtime.evaluate", ["expression": expression, "returnByValue": true, "awaitPromise": true])
        if let exception = answer["exceptionDetails"] as? [String: Any] {
            throw Failure(description: "\(expression): \(exception)")
        }
        return (answer["result"] as? [String: Any])?["value"]
    }

    func text(_ selector: String) async throws -> String {
        try await value("document.querySelector('\(selector)')?.textContent ?? ''") as? String ?? ""
    }

    func count(_ selector: String) async throws -> Int {
        try await value("document.querySelectorAll('\(selector)').length") as? Int ?? -1
    }

    func press(_ key: String) async throws {
        let text = key.count == 1 ? key : key == "Enter" ? "\r" : ""
        _ = try await call("Input.dispatchKeyEvent", ["type": "keyDown", "key": key, "text": text])
        _ = try await call("Input.dispatchKeyEvent", ["type": "keyUp", "key": key])
    }

    func screenshot() async throws -> Data {
        let answer = try await call("Page.captureScreenshot", ["format": "png"])
        return try #require((answer["data"] as? String).flatMap { Data(base64Encoded: $0) })
    }

    /// Waits until an expression is true.
    func wait(
        for expression: String, seconds: Double = 40, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try await value(expression) as? Bool != true {
            try #require(
                ContinuousClock.now < deadline, "not in \(seconds) s: \(expression)", sourceLocation: sourceLocation)
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    // MARK: The protocol

    private func call(_ method: String, _ parameters: [String: Any] = [:]) async throws -> [String: Any] {
        number += 1
        var message: [String: Any] = ["id": number, "method": method, "params": parameters]
        if let session { message["sessionId"] = session }
        try write(JSONSerialization.data(withJSONObject: message) + [0])
        while true {
            let message = try await waiting { [self] in try read() }
            let answer = try JSONSerialization.jsonObject(with: message) as? [String: Any] ?? [:]
            if answer["id"] as? Int == number {
                if let error = answer["error"] { throw Failure(description: "\(method): \(error)") }
                return answer["result"] as? [String: Any] ?? [:]
            }
            note(answer)
        }
    }

    private func note(_ event: [String: Any]) {
        switch event["method"] as? String {
        case "Runtime.exceptionThrown", "Log.entryAdded":
            complaints.append("\(event["params"] ?? "")")
        default: break
        }
    }

    private func write(_ data: Data) throws {
        try data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Glibc.write(commands, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard written > 0 else { throw Failure(description: "the browser takes no commands") }
                rest = rest.dropFirst(written)
            }
        }
    }

    private func read() throws -> Data {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let end = pending.firstIndex(of: 0) {
                let message = Data(pending[..<end])
                pending.removeSubrange(...end)
                return message
            }
            var descriptor = pollfd(fd: answers, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, 60_000) > 0 else { throw Failure(description: "the browser does not answer") }
            let count = Glibc.read(answers, &chunk, chunk.count)
            guard count > 0 else { throw Failure(description: "the browser is gone") }
            pending.append(contentsOf: chunk[..<count])
        }
    }
}
