import Foundation
import TestSupport
import Testing

/// The short form of `make chaos`: some thousand events and a few kills for each way of delivery.
@Suite(
    .timeLimit(.minutes(10)), .serialized, .enabled(if: BrokerProcess.python != nil, "python3 is not installed"))
struct ChaosTests {
    /// Another seed is another run; the one that failed can be had again.
    static let seed = ProcessInfo.processInfo.environment["APUS_TEST_SEED"] ?? "20261124"

    private func chaos(_ arguments: String...) async throws -> [String: Any] {
        let all =
            ["ops/chaos/run", "--apus", try Command.binary(), "--seed", Self.seed, "--hosts", "200", "--pause", "1.5"]
            + arguments
        let named = ["APUS_TEST_BROKERS", "APUS_TEST_PROPERTIES"].compactMap { name in
            ProcessInfo.processInfo.environment[name].map { (name, $0) }
        }
        let run = try Command("/usr/bin/env", ["bash"] + all, environment: Dictionary(uniqueKeysWithValues: named))
        let status = try await run.status(seconds: 540)
        #expect(status == 0, "\(run.output)\n\(run.errors)")
        // What was said on the way stands before it.
        let start = try #require(run.output.range(of: "\n{\n"), "\(run.output)\n\(run.errors)").lowerBound
        let end = try #require(run.output.range(of: "\n}\n")).upperBound
        let json = Data(run.output[start..<end].utf8)
        return try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    }

    /// A comparison of nothing says nothing.
    private func expectAlertsOfEveryRule(_ result: [String: Any]) throws {
        let rules = try #require(result["rules"] as? [String: [String: Int]])
        #expect(rules.count == 4)
        for (name, counts) in rules { #expect(counts["expected"] ?? 0 > 5, "\(name)") }
    }

    /// No alert is lost, and what comes twice has the same id.
    @Test func nothingIsLostAtLeastOnce() async throws {
        let result = try await chaos(
            "--delivery", "at_least_once", "--events", "6000", "--kills", "6")
        #expect(result["missing"] as? Int == 0)
        #expect(result["unknown"] as? Int == 0)
        try expectAlertsOfEveryRule(result)
    }

    /// No alert is lost and none comes twice.
    @Test func everythingComesOnceExactlyOnce() async throws {
        let result = try await chaos(
            "--delivery", "exactly_once", "--events", "6000", "--kills", "6")
        #expect(result["missing"] as? Int == 0)
        #expect(result["unknown"] as? Int == 0)
        if result["transactions"] == nil { #expect(result["twice"] as? Int == 0) }
        try expectAlertsOfEveryRule(result)
    }

    /// What the tests above rely on to know what they may ask of a broker.
    @Test(arguments: ["own", "tansu"]) func theProbeKnowsRealTransactions(kind: String) async throws {
        let installed = try await TestBroker.installed()
        let broker =
            kind == "own" ? try await TestBroker.own() : try await TestBroker.tansu(port: try TestBroker.freePort())
        let probe = try Command(installed.python, ["-B", "ops/broker/probe.py", "--brokers", broker.address])
        let status = try await probe.status(seconds: 120)
        if kind == "own" {
            #expect(status == 0, "\(probe.output)\(probe.errors)")
        } else {
            #expect(status == 1, "\(probe.output)\(probe.errors)")
            #expect(probe.output.contains("not real: records of aborted or open transactions are shown"))
        }
        try await broker.stop()
    }
}
