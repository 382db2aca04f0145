import Foundation
import TestSupport
import Testing

/// The brokers that tests of this target start, each in a process of its own.
struct TestBroker {
    /// The broker that somebody else runs: `APUS_TEST_BROKERS`, with the client properties of
    /// `APUS_TEST_PROPERTIES`, which is a file of `key=value` lines or such pairs separated by `;`.
    static let external = ProcessInfo.processInfo.environment["APUS_TEST_BROKERS"]
    static let externalProperties = properties(ProcessInfo.processInfo.environment["APUS_TEST_PROPERTIES"] ?? "")

    let process: Command
    /// Where clients begin.
    let address: String
    /// The folder of the librdkafka that can talk to it; nil when Debian's can.
    var library: String?

    /// `ops/broker/broker.py`, which has real transactions, TLS and SASL.
    static func own(_ arguments: String...) async throws -> TestBroker {
        let broker = try await BrokerProcess(arguments)
        return TestBroker(process: broker.process, address: broker.address)
    }

    /// Tansu, installed from PyPI when it is not there yet.
    ///
    /// - Parameter advertised: the port that clients are told, where something stands in front.
    static func tansu(port: Int, advertised: Int? = nil, _ arguments: String...) async throws -> TestBroker {
        let paths = try await installed()
        let process = try Command(
            paths.tansu,
            [
                "broker", "--listener-url", "tcp://127.0.0.1:\(port)", "--advertised-listener-url",
                "tcp://127.0.0.1:\(advertised ?? port)", "--storage-engine", "memory://tansu/",
            ] + arguments)
        try await eventually("a listener: \(process.errors)") { canConnect(to: port) }
        return TestBroker(process: process, address: "127.0.0.1:\(port)", library: paths.library)
    }

    /// What `ops/broker/install` has put where.
    static func installed() async throws -> (python: String, tansu: String, library: String) {
        let install = try Command("/usr/bin/env", ["bash", "ops/broker/install"])
        guard try await install.status(seconds: 300) == 0 else {
            throw NotInTime(description: "ops/broker/install failed: \(install.errors)")
        }
        let values = Dictionary(
            install.lines.compactMap { line -> (String, String)? in
                let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
                return parts.count == 2 ? (parts[0], parts[1]) : nil
            }, uniquingKeysWith: { $1 })
        return (
            try #require(values["python"]), try #require(values["tansu"]), try #require(values["rdkafka"])
        )
    }

    /// At once: it keeps nothing.
    func stop() async throws {
        process.signal(SIGKILL)
        _ = try await process.status()
    }

    static func properties(_ text: String) -> [String: String] {
        let content = (try? String(contentsOfFile: text, encoding: .utf8)) ?? text
        let pairs = content.split { $0 == ";" || $0 == "\n" }.compactMap { line -> (String, String)? in
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            return parts.count == 2 && !parts[0].hasPrefix("#") ? (parts[0], parts[1]) : nil
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// A port that nobody listened on a moment ago.
    static func freePort() throws -> Int {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(probe) }
        var address = loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, size) == 0 && getsockname(probe, $0, &size) == 0
            }
        }
        try #require(isBound, "no free port")
        return Int(UInt16(bigEndian: address.sin_port))
    }

    static func canConnect(to port: Int) -> Bool {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(probe) }
        var address = loopback(port: port)
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }
}

/// `apus run` against a broker, and kcat beside it, with the same client properties.
struct Installation {
    let address: String
    let properties: [String: String]
    var library: String?
    var environment: [String: String] = [:]
    let topic = "t-\(UUID().uuidString.prefix(8).lowercased())"
    let folder: Folder

    static let kcatPath = ["/usr/bin/kcat", "/usr/local/bin/kcat"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    init(
        address: String, properties: [String: String], library: String? = nil, environment: [String: String] = [:]
    ) throws {
        self.address = address
        self.properties = properties
        self.library = library
        self.environment = environment
        folder = try Folder()
        _ = try folder.write(
            """
            [rule]
            name = "Any alert"
            rule_id = "00000000-0000-4000-8000-000000000001"
            description = "Fires in tests."
            severity = "low"
            risk_score = 1
            type = "eql"
            query = 'any where event.action == "alert"'
            """, to: "rule.toml")
    }

    private var variables: [String: String] {
        environment.merging(library.map { ["LD_LIBRARY_PATH": $0] } ?? [:]) { $1 }
    }

    func run(_ settings: String...) throws -> Command { try start(settings) }

    /// The settings as they are shown.
    func show() throws -> Command { try start([], "--show-config") }

    private func start(_ settings: [String], _ flags: String...) throws -> Command {
        let all =
            [
                "application=\(topic)", "kafka.brokers=\(address)", "input.topics=\(topic)",
                "output.alerts=\(topic).alerts", "output.dead_letters=\(topic).dead-letters",
                "kafka.create_topics=true", "kafka.topic_partitions=1", "delivery=at_least_once",
                "rules.paths=\(folder.url.appending(path: "rule.toml").path)", "log.level=debug", "http.listen=",
            ] + properties.sorted { $0.key < $1.key }.map { "kafka.properties.\($0.key)=\($0.value)" } + settings
        return try Command.apus(["run"] + flags + all.flatMap { ["--set", $0] }, environment: variables)
    }

    /// - Parameter properties: those of the installation, with references to secrets resolved.
    func kcat(_ arguments: String..., properties: [String: String], input: String = "") throws -> Command {
        let all = arguments + ["-b", address] + properties.flatMap { ["-X", "\($0.key)=\($0.value)"] }
        return try Command(
            try #require(Self.kcatPath, "kcat is not installed"), all, input: Data(input.utf8), environment: variables)
    }

    /// An event in, its alert out.
    ///
    /// - Parameter clientProperties: for kcat, where the installation's are references to secrets.
    func detects(clientProperties: [String: String]? = nil) async throws {
        let own = clientProperties ?? properties
        let detector = try run()
        try await eventually("assignment: \(detector.errors)") { detector.errors.contains("assigned") }
        let event = #"{"@timestamp":"2025-01-01T00:00:00Z","event":{"action":"alert"},"host":{"id":"h1"}}"# + "\n"
        let writer = try kcat("-P", "-t", topic, "-p", "0", properties: own, input: event)
        #expect(try await writer.status() == 0, "\(writer.errors)")
        let reader = try kcat(
            "-C", "-t", "\(topic).alerts", "-o", "beginning", "-c", "1", "-u", "-q", properties: own)
        #expect(try await reader.status() == 0, "\(detector.errors)")
        #expect(reader.output.contains("Any alert"))
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
    }
}
