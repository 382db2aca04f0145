import Detection
import EQL
import Foundation
import Testing

@testable import Rules

@Suite struct MailCollectionPackTests {
    private let report = RuleLoader(checker: .streaming)
        .load(paths: [packageRoot.appending(path: "config/rules/t1114_002").path])

    @Test func loadsWithoutProblems() {
        #expect(report.problems.isEmpty, "\(report.problems)")
        #expect(report.unsupported.isEmpty)
        #expect(report.rules.rules.count == 38)
    }

    /// What an analyst needs of every rule: what it means, what to do, when it is wrong, and what it stands on.
    @Test func everyRuleIsDocumented() {
        for rule in report.rules.rules {
            #expect(rule.description.count > 100, "\(rule.path)")
            #expect(!rule.falsePositives.isEmpty && !rule.references.isEmpty, "\(rule.path)")
            #expect(
                rule.note?.contains("## Triage") == true && rule.note?.contains("## Response") == true, "\(rule.path)")
            #expect(
                rule.setup?.hasPrefix("Needs ") == true || rule.setup?.hasPrefix("\nNeeds ") == true, "\(rule.path)")
            #expect(
                rule.threats.contains { threat in
                    threat.techniques.contains { $0.subtechniques.contains { $0.id == "T1114.002" } }
                }, "\(rule.path)")
        }
    }

    @Test func compilesTogether() throws {
        let compiled = try CompiledRules(report.rules)
        #expect(compiled.rules.map(\.id) == report.rules.rules.map(\.id))
        #expect(compiled.hash == report.rules.hash)
    }

    /// The query is the one the pack was asked for, to the byte.
    @Test func seedQueryIsVerbatim() throws {
        let seed = try #require(report.rules["5f0c8a36-9d1e-4b77-8e43-2a6d1f9b7c10"])
        let expected = #"""
            any where
            (
              event.category == "process" and event.type == "start" and
              process.name in~ ("powershell.exe", "pwsh.exe", "exshell.exe") and
              process.command_line regex~ "(?i)(New-MailboxExportRequest|Get-MailboxExportRequest|Search-Mailbox|New-ComplianceSearch|Start-ComplianceSearch|New-ComplianceSearchAction|Get-ComplianceSearchAction|Invoke-SelfSearch|Invoke-GlobalMailSearch|Get-GlobalAddressList|Invoke-MailboxSearch|New-MailboxSearch|MailSniper|Microsoft\\.Exchange\\.WebServices|EWSEditor|Invoke-PasswordSprayOWA)"
            ) or (
              event.category == "network" and event.type == "connection" and
              destination.port in (80, 443, 993, 995) and
              user_agent.original regex~ "(?i)(MailSniper|python-requests|python/[0-9]|Go-http-client|curl/[0-9]|wget/[0-9]|Microsoft\\.Exchange\\.WebServices|EWSEditor)"
            )

            """#
        #expect(seed.query == expected)
        #expect(seed.options.regexMode == .search)
        #expect(seed.threats.first?.tactic.id == "TA0009")
        #expect(seed.threats.first?.techniques.first?.subtechniques.first?.id == "T1114.002")
    }

    /// The correlation takes the process part of the seed as it is, and ranks above it.
    @Test func correlationRepeatsTheSeedsPattern() throws {
        let seed = try #require(report.rules["5f0c8a36-9d1e-4b77-8e43-2a6d1f9b7c10"])
        let connection = try #require(report.rules["c27e4d19-61fb-4a0e-b5c8-93d04e7fa852"])
        let pattern = try #require(seed.query.firstMatch(of: /process\.command_line regex~ "[^"]*"/)).output
        #expect(connection.query.contains(pattern))
        #expect(connection.query.hasPrefix("sample by apus.host_key with maxspan=60s\n"))
        #expect(connection.severity > seed.severity && connection.riskScore > seed.riskScore)
        #expect(connection.options.regexMode == .search)
    }
}
