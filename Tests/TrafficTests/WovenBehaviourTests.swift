import EQL
import EventSchema
import TestSupport
import Testing
import Traffic

/// The expectations a plan declares, against the two rules evaluated by the naive engine.
@Suite struct WovenBehaviourTests {
    private static let start = """
        event.category == "process" and event.type == "start" and
        process.name in~ ("powershell.exe", "pwsh.exe", "exshell.exe") and
        process.command_line regex~ "(?i)(New-MailboxExportRequest|Get-MailboxExportRequest|Search-Mailbox|\
        New-ComplianceSearch|Start-ComplianceSearch|New-ComplianceSearchAction|Get-ComplianceSearchAction|\
        Invoke-SelfSearch|Invoke-GlobalMailSearch|Get-GlobalAddressList|Invoke-MailboxSearch|New-MailboxSearch|\
        MailSniper|Microsoft\\\\.Exchange\\\\.WebServices|EWSEditor|Invoke-PasswordSprayOWA)"
        """

    private static let seed = """
        any where (\(start)) or (
          event.category == "network" and event.type == "connection" and
          destination.port in (80, 443, 993, 995) and
          user_agent.original regex~ "(?i)(MailSniper|python-requests|python/[0-9]|Go-http-client|curl/[0-9]|\
        wget/[0-9]|Microsoft\\\\.Exchange\\\\.WebServices|EWSEditor)")
        """

    private static let correlation = """
        sample by apus.host_key with maxspan=60s
          [any where \(start)]
          [any where event.category == "network" and event.type in ("connection", "start") and
            destination.port == 443 and not event.category == "web" and
            not network.direction in~ ("ingress", "inbound")]
        """

    private static func matches(_ text: String, _ lines: [String]) throws -> [NaiveEngine.Match] {
        let result = parse(SourceText(text))
        let query = try #require(result.query, "\(result.diagnostics.map(\.message))")
        return NaiveEngine(regex: .search).run(query, on: lines)
    }

    private static func plan(seed: UInt64) throws -> TrafficPlan {
        try TrafficPlan(
            seed: seed, events: TrafficPlan.minimumEvents, hosts: TrafficPlan.minimumHosts,
            start: EventTime(nanoseconds: 1_764_000_000_000_000_000), seconds: TrafficPlan.minimumSeconds)
    }

    private static func lines(_ plan: TrafficPlan) -> [String] {
        TrafficGenerator(plan: plan).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// Of records that are ECS already; the naive engine knows no other.
    private static func expected(_ rule: ExpectedRule, _ plan: TrafficPlan) -> [ExpectedFinding] {
        plan.behaviours.filter { !$0.isRaw }.flatMap(\.expected).filter { $0.rule == rule }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func theSeedRuleFindsWhatIsExpectedAndNoMore(seed: UInt64) throws {
        let plan = try Self.plan(seed: seed)
        let found = try Self.matches(Self.seed, Self.lines(plan))
        #expect(found == Self.expected(.seed, plan).flatMap(\.events).sorted().map { .event($0) })
    }

    @Test(arguments: [1, 2] as [UInt64])
    func theCorrelationFindsWhatIsExpectedAndNoMore(seed: UInt64) throws {
        let plan = try Self.plan(seed: seed)
        let found = try Self.matches(Self.correlation, Self.lines(plan))
        let expected = Self.expected(.correlation, plan)
        #expect(found.count == expected.count)
        for finding in expected {
            let isMade = found.contains { match in
                guard case .group(let keys, let events) = match else { return false }
                return keys == [finding.hostKey] && Set(finding.events).isSubset(of: events.compactMap(\.self))
            }
            #expect(isMade, "\(plan.behaviours.first { $0.expected.contains(finding) }?.name ?? "")")
        }
    }

    @Test func everyAttackIsExpectedToBeFound() throws {
        let plan = try Self.plan(seed: 1)
        for behaviour in plan.behaviours where behaviour.kind == .attack {
            #expect(!behaviour.expected.isEmpty, "\(behaviour.name)")
        }
        #expect(plan.behaviours.contains { $0.kind == .nearMiss })
    }
}
