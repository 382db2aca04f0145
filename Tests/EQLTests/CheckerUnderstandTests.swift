import EventSchema
import Testing

@testable import EQL

/// From text to meaning.
@Suite struct CheckerUnderstandTests {
    private static let rule = #"""
        any where
        (
          event.category == "process" and event.type == "start" and
          process.name in~ ("powershell.exe", "PWSH.exe") and
          process.command_line regex~ "(?i)(MailSniper|Microsoft\\.Exchange\\.WebServices)"
        ) or (
          event.category == "network" and destination.port in (80, 443) and
          user_agent.original regex~ "(?i)(curl/[0-9])"
        )
        """#

    @Test func searchModeTakesInlineFlags() throws {
        let result = understand(Self.rule, options: CheckOptions(regexMode: .search))
        #expect(result.diagnostics.isEmpty)
        let condition = try #require(result.query?.conditions.first)
        let event: TestEvent = [
            "event.category": [.string("process")], "event.type": [.string("start")],
            "process.name": [.string("pwsh.EXE")], "process.command_line": [.string("Import-Module .\\mailsniper.ps1")],
        ]
        #expect(try holds(condition, in: event))
        #expect(try !holds(condition, in: event.merging(["process.name": [.string("cmd.exe")]]) { $1 }))
    }

    @Test func elasticModeWarnsOfThemWhereTheyStand() {
        let source = SourceText(Self.rule)
        let diagnostics = understand(Self.rule).diagnostics
        #expect(diagnostics.map(\.severity) == [.warning, .warning])
        #expect(diagnostics.map { source[$0.span] } == ["(?i)", "(?i)"])
    }
}
