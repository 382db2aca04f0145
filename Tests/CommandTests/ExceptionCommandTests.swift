import Foundation
import TestSupport
import Testing

/// What the commands make of exceptions.
@Suite struct ExceptionCommandTests {
    private static func exception(_ condition: String, expires: String = "\"never\"") -> String {
        """
        [[exception]]
        id = "quiet-host"
        global = true
        condition = '\(condition)'
        owner = "me"
        reason = "It is a test."
        expires = \(expires)
        """
    }

    private static func folder(_ exception: String) throws -> (folder: Folder, rule: String, exceptions: String) {
        let folder = try Folder()
        return (folder, try folder.write(goodRule, to: "rule.toml"), try folder.write(exception, to: "exceptions.toml"))
    }

    @Test func evalLeavesOutAndCounts() async throws {
        let (folder, rule, exceptions) = try Self.folder(Self.exception(#"host.id == "h2""#))
        let eval = try Command.apus(
            "eval", "--rules", rule, "--exceptions", exceptions, "--statistics", "json",
            input: lines(event("alert"), event("alert", host: "h2"), event("other", host: "h2")))
        #expect(try await eval.status() == 0)
        #expect(eval.lines.count == 1)
        let statistics = try object(eval.errors)
        let counted = try #require(statistics["exceptions"] as? [[String: Any]])
        #expect(counted.map { $0["hits"] as? Int } == [1])
        withExtendedLifetime(folder) {}
    }

    @Test func anExpiredOneIsSaidAtLoadAndCounted() async throws {
        let (folder, rule, exceptions) = try Self.folder(
            Self.exception(#"host.id == "h1""#, expires: "2024-12-31"))
        let eval = try Command.apus(
            "eval", "--rules", rule, "--exceptions", exceptions, input: lines(event("alert")))
        #expect(try await eval.status() == 0)
        #expect(eval.lines.count == 1)
        #expect(eval.errors.contains("exceptions.toml:2:6: warning: exception quiet-host of me expired at 2025-01-01T"))
        #expect(eval.errors.contains("no longer left out, exception quiet-host had expired: 1"))
        withExtendedLifetime(folder) {}
    }

    @Test func checkReportsThem() async throws {
        let (folder, rule, exceptions) = try Self.folder(Self.exception(#"host.id = "h1""#))
        let check = try Command.apus("check", rule, "--exceptions", exceptions)
        #expect(try await check.status() == 1)
        #expect(check.output.contains("exceptions.toml:4:22: error: '=' does not compare"))
        #expect(check.output.contains("  condition = 'host.id = \"h1\"'\n                       ^"))

        _ = try folder.write(Self.exception(#"host.id == "h1""#), to: "exceptions.toml")
        let json = try Command.apus("check", rule, "--exceptions", exceptions, "--output", "json")
        #expect(try await json.status() == 0)
        let entries = try #require(try object(json.output)["exceptions"] as? [[String: Any]])
        #expect(entries.map { $0["id"] as? String } == ["quiet-host"])
    }

    @Test func explainSaysWhatAnExceptionAte() async throws {
        let (folder, rule, exceptions) = try Self.folder(Self.exception(#"host.id == "h1""#))
        let explain = try Command.apus(
            "explain", rule, "-", "--exceptions", exceptions, input: lines(event("alert"), event("alert", host: "h2")))
        #expect(try await explain.status() == 0)
        #expect(explain.output.components(separatedBy: "left out by exception quiet-host").count == 2)
        withExtendedLifetime(folder) {}
    }
}
