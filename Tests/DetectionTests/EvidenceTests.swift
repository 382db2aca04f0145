import Alerts
import Detection
import EventSchema
import Events
import Rules
import Testing

/// What a finding says about why it was made.
@Suite struct EvidenceTests {
    private static let start = #"""
        {"@timestamp":"2026-11-24T03:00:00Z","event":{"category":["process"],"type":["start"]},
         "host":{"id":"host-7","name":"WS7"},
         "process":{"name":"PowerShell.exe","command_line":"powershell.exe -c \"ä; invoke-selfsearch -Mailbox a\""}}
        """#
    private static let connection = #"""
        {"@timestamp":"2026-11-24T02:59:30Z","event.category":"network","event.type":["start","connection"],
         "host.id":"host-7","destination":{"port":443}}
        """#

    private static func shown(_ match: PredicateMatch) -> String {
        let bytes = Array(match.value.utf8)
        let span = match.span.map { String(decoding: bytes[$0], as: UTF8.self) } ?? match.value
        return "\(match.field) \(match.operation) \(span)"
    }

    @Test func theSeedRuleShowsWhatMatchedAndWhere() throws {
        let lane = try Lane(try Pack.load())
        lane.send(Self.start)
        let findings = lane.findings()
        let finding = try #require(findings.first)
        #expect(findings.count == 1 && finding.rule.id == Pack.seedID)
        let evidence = try #require(finding.evidence.first)
        #expect(finding.evidence.count == 1)
        #expect(
            evidence.matches.map(Self.shown) == [
                "event.category == process", "event.type == start", "process.name in~ PowerShell.exe",
                "process.command_line regex~ invoke-selfsearch",
            ])
        #expect(evidence.original == Array(Self.start.utf8))
        #expect(evidence.timestamp == EventTime(parsing: "2026-11-24T03:00:00Z"))
        #expect(evidence.hostKey == HostKey(value: "host-7", field: "host.id"))
    }

    @Test func theCorrelationShowsBothStages() throws {
        let lane = try Lane(try Pack.load())
        lane.send(Self.connection)
        lane.send(Self.start)
        let finding = try #require(lane.findings().first { $0.rule.id == Pack.correlationID })
        #expect(finding.offsets == [1, 0], "in stage order, whatever came first")
        #expect(finding.evidence.map(\.stage) == [0, 1])
        #expect(finding.joinKeys == ["host-7"])
        #expect(
            finding.evidence[1].matches.map(Self.shown) == [
                "event.category == network", "event.type in start", "destination.port == 443",
            ])
        #expect(finding.evidence[1].matches.allSatisfy { $0.span == nil }, "whole values")
    }
}
