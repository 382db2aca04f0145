import Dispatch
import Foundation
import KafkaClient
import Synchronization
import TestSupport
import Testing

@Suite(
    "Tokens from a file", .timeLimit(.minutes(2)),
    .enabled(if: BrokerProcess.python != nil, "python3 is not installed"))
struct TokenTests {
    /// The file is not there at first, so the client asks once more; what it reads then lets it in.
    @Test("A client reads its token anew")
    func readsAnew() async throws {
        let broker = try await BrokerProcess([
            "--topic", "events:1", "--user", "nobody:unused", "--token", "t0ken",
        ])
        defer { broker.process.signal(SIGKILL) }
        let file = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID())").path
        defer { unlink(file) }
        let errors = Mutexed([KafkaError]())
        let reports = Mutexed([DeliveryReport]())
        let producer = try Producer(
            [
                "bootstrap.servers": broker.address, "security.protocol": "sasl_plaintext",
                "sasl.mechanisms": "OAUTHBEARER",
                "sasl.oauthbearer.token.location": file,
            ], controlQueue: DispatchQueue(label: "writer")
        ) { event in
            switch event {
            case .failed(let error): errors.value.withLock { $0.append(error) }
            case .delivered(let more): reports.value.withLock { $0 += more }
            case .statistics: break
            }
        }
        try await eventually("a complaint") {
            errors.value.withLock { $0.contains { $0.message.contains("\(file): No such file") } }
        }
        try "t0ken\n".write(toFile: file, atomically: true, encoding: .utf8)
        let topic = try producer.topic("events")
        _ = producer.send(to: topic, partition: 0, key: nil, value: [1])
        try producer.flush(timeout: .seconds(40))
        try await eventually("report") { reports.value.withLock { $0.count == 1 } }
        #expect(reports.value.withLock { $0.allSatisfy { $0.error == nil } })
        #expect(errors.value.withLock { $0.allSatisfy { !$0.description.contains("t0ken") } })
    }

    private final class Mutexed<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }
}
