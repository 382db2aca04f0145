import Foundation
import TestSupport
import Testing

/// What the commands say of repeats that are held back.
@Suite struct SuppressionCommandTests {
    private static let rule = goodRule + "\n[apus.suppression]\nfields = [\"host.id\"]\nwindow = \"30s\"\n"
    private static let input = lines(
        event("alert"), event("alert", second: 5), event("alert", second: 6, host: "h2"), event("alert", second: 31))

    @Test func evalHoldsBackAndCounts() async throws {
        let folder = try Folder()
        let path = try folder.write(Self.rule, to: "rule.toml")
        let eval = try Command.apus("eval", "--rules", path, "--statistics", "json", input: Self.input)
        #expect(try await eval.status() == 0)
        let counts = try eval.lines.map { line in
            let suppression = (try object(line)["apus"] as? [String: Any])?["suppression"] as? [String: Any]
            return suppression?["docs_count"] as? Int
        }
        #expect(counts == [0, 0, 1])
        let rules = try #require(try object(eval.errors)["rules"] as? [[String: Any]])
        #expect(rules[0]["findings"] as? Int == 4 && rules[0]["suppressed"] as? Int == 1)
    }

    @Test func explainSaysWhatRepeats() async throws {
        let folder = try Folder()
        let path = try folder.write(Self.rule, to: "rule.toml")
        let explain = try Command.apus("explain", path, "-", input: Self.input)
        #expect(try await explain.status() == 0)
        #expect(
            explain.lines.suffix(4) == [
                "  line 1  raises an alert",
                "  line 2  held back: repeats the alert of 2025-01-01T00:00:00.000Z",
                "  line 3  raises an alert",
                "  line 4  raises an alert, which tells of 1 held back before",
            ])
    }
}
