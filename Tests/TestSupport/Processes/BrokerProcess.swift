import Foundation

/// `ops/broker/broker.py`, which has real transactions, TLS and SASL, as a process of its own.
public struct BrokerProcess: Sendable {
    /// Nil where tests that need the broker have to be left out.
    public static let python = ["/usr/bin/python3", "/usr/local/bin/python3"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    public let process: Command
    /// Where clients begin.
    public let address: String

    /// Starts it and waits until it listens.
    public init(_ arguments: [String]) async throws {
        guard let python = Self.python else { throw NotInTime(description: "python3 is not installed") }
        let process = try Command(python, ["ops/broker/broker.py"] + arguments)
        try await eventually("address: \(process.errors)") { process.output.contains("\n") }
        guard let address = process.lines.first?.split(separator: " ").last else {
            throw NotInTime(description: "the broker names no address: \(process.output)")
        }
        self.process = process
        self.address = String(address)
    }
}
