import Foundation
import TestSupport
import Testing

let kcatPath = ["/usr/bin/kcat", "/usr/local/bin/kcat"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

/// A process of `apus broker` and its address.
struct Broker {
    let process: Command
    let address: String

    /// What `apus run` needs by default.
    static let topics =
        "events:2,apus.alerts:1,apus.dead-letters:1,apus.state:2,apus.correlate:2,apus.correlate.state:2"

    init(topics: String = Broker.topics) async throws {
        let process = try Command.apus("broker", "--topics", topics)
        try await eventually("address") { process.output.contains("\n") }
        self.process = process
        address = try #require(process.lines.first?.split(separator: " ").last.map(String.init))
    }

    func stop() async throws {
        process.signal(SIGTERM)
        #expect(try await process.status() == 0)
    }

    /// kcat for this broker.
    func kcat(_ arguments: String..., input: Data = Data()) throws -> Command {
        try Command(try #require(kcatPath), arguments + ["-b", address], input: input)
    }

    func write(_ events: Data, topic: String = "events", partition: Int = 0) async throws {
        let writer = try kcat("-P", "-t", topic, "-p", "\(partition)", input: events)
        #expect(try await writer.status() == 0, "\(writer.errors)")
    }
}
