import Foundation
import FoundationXML
import TestSupport
import Testing

/// `apus test`: what it prints, and how it ends.
@Suite(.timeLimit(.minutes(3)))
struct TestCommandTests {
    private static let passing = """
        tests:
          - match: an alert
            events: [{fields: {event.action: alert}}]
          - match: another
            events: [{fields: {event: {action: alert}}}]
          - near_miss: quiet
            events: [{fields: {event.action: quiet}}]
          - near_miss: nothing
            events: [{json: '{}'}]
        """

    private static let failing = """
        tests:
          - match: <wrong> & "quoted"
            events: [{fields: {event.action: quiet}}]
        """

    private func folder(_ fixture: String?) throws -> Folder {
        let folder = try Folder()
        _ = try folder.write(goodRule, to: "good.toml")
        if let fixture { _ = try folder.write(fixture, to: "good.test.yaml") }
        return folder
    }

    @Test(arguments: [".", "good.toml", "good.test.yaml"])
    func passes(path: String) async throws {
        let folder = try folder(Self.passing)
        let test = try Command.apus("test", "--strict", folder.url.appending(path: path).path)
        #expect(try await test.status() == 0, "\(test.errors)")
        #expect(test.lines.last == "1 rules, 4 tests: 4 passed, 0 failed; 0 rules with too few")
    }

    /// Every rule that comes with Apus does what its tests say, and has enough of them.
    @Test func theShippedRulesPass() async throws {
        let test = try Command.apus("test", "--strict", "config/rules")
        #expect(try await test.status() == 0, "\(test.output)\(test.errors)")
    }

    /// So do the exceptions that come with it, which are switched off: they leave out what they are for, and no match.
    @Test func theShippedExceptionsPass() async throws {
        let test = try Command.apus(
            "test", "--strict", "config/rules", "--exceptions", "config/exceptions", "--disabled-exceptions",
            "--output", "json")
        #expect(try await test.status() == 0, "\(test.output)\(test.errors)")
        let exceptions = try #require(try object(test.output)["exceptions"] as? [[String: Any]])
        #expect(
            exceptions.compactMap { $0["id"] as? String } == [
                "archiving-by-ews-sdk", "ediscovery-and-legal-hold", "mailbox-capacity-monitoring",
            ])
        #expect(exceptions.allSatisfy { ($0["tests"] as? Int ?? 0) > 0 })
    }

    private static let excepted = """
        tests:
          - match: an alert
            events: [{fields: {event.action: alert, host.id: h1}}]
          - excepted: of the quiet host
            by: quiet-host
            events: [{fields: {event.action: alert, host.id: h2}}]
        """

    private static func exception(_ host: String, expires: String = "\"never\"", enabled: Bool = true) -> String {
        """
        [[exception]]
        id = "quiet-host"
        global = true
        condition = 'host.id == "\(host)"'
        owner = "me"
        reason = "It is a test."
        expires = \(expires)
        enabled = \(enabled)
        """
    }

    private func testing(_ exception: String, _ more: String...) async throws -> (status: Int32, output: String) {
        let folder = try folder(Self.excepted)
        let exceptions = try folder.write(exception, to: "exceptions.toml")
        let rule = folder.url.appending(path: "good.toml").path
        let test = try Command.apus(["test", rule, "--exceptions", exceptions] + more)
        let status = try await test.status()
        return withExtendedLifetime(folder) { (status, test.output + test.errors) }
    }

    @Test func exceptionsAreTried() async throws {
        let (status, output) = try await testing(Self.exception("h2"))
        #expect(status == 0, "\(output)")
        #expect(output.contains("tests  hits  after expiry  exception\n    1     1             0  quiet-host\n"))
    }

    @Test func anExceptionThatEatsAMatchIsNamed() async throws {
        let (status, output) = try await testing(Self.exception("h1"))
        #expect(status == 1)
        #expect(output.contains("event: event 1 is left out by exception quiet-host"))
        #expect(output.contains("exception quiet-host holds for no event that the rule matches"))
    }

    @Test func anExceptionThatIsOverIsNamed() async throws {
        let (status, output) = try await testing(Self.exception("h2", expires: "2024-12-31"))
        #expect(status == 1)
        #expect(output.contains("warning: exception quiet-host of me expired at 2025-01-01T"))
        #expect(output.contains("exception quiet-host expired at 2025-01-01T00:00:00.000Z, before these events"))
    }

    @Test func exceptionsThatAreSwitchedOffAreTriedOnRequest() async throws {
        let (status, output) = try await testing(Self.exception("h2", enabled: false))
        #expect(status == 1)
        #expect(output.contains("no exception quiet-host for this rule is among those that were given"))
        #expect(try await testing(Self.exception("h2", enabled: false), "--disabled-exceptions").status == 0)
    }

    @Test func exceptedCasesWithoutExceptionsMatch() async throws {
        let folder = try folder(Self.excepted)
        let test = try Command.apus("test", folder.url.path)
        #expect(try await test.status() == 0)
        #expect(test.output.contains("1 excepted cases are only held to match: name exceptions with --exceptions"))
        let junit = try Command.apus("test", "--output", "junit", folder.url.path)
        #expect(try await junit.status() == 0)
        #expect(try XMLParsed(junit.output).counts["skipped"] == 1)
    }

    @Test func failsWithThePlaceAndTheReason() async throws {
        let folder = try folder(Self.failing)
        let test = try Command.apus("test", folder.url.path)
        #expect(try await test.status() == 1)
        #expect(test.output.contains("good.test.yaml:2:5: match: <wrong>"))
        #expect(test.output.contains("0 findings where 1 is expected"))
        #expect(test.output.contains(#"false  event.action == "alert""#))

        let junit = try Command.apus("test", "--output", "junit", folder.url.path)
        #expect(try await junit.status() == 1)
        let document = try XMLParsed(junit.output)
        #expect(document.counts == ["testsuites": 1, "testsuite": 1, "testcase": 1, "failure": 1])
        #expect(document.names.contains(#"match: <wrong> & "quoted""#))

        let json = try Command.apus("test", "--output", "json", folder.url.path)
        #expect(try await json.status() == 1)
        #expect(try object(json.output)["failed"] as? Int == 1)
    }

    @Test func aRuleWithoutFixtureIsNamed() async throws {
        let folder = try folder(nil)
        let test = try Command.apus("test", folder.url.path)
        #expect(try await test.status() == 0)
        #expect(test.output.contains("there is no fixture"))
        let strict = try Command.apus("test", "--strict", folder.url.path)
        #expect(try await strict.status() == 1)
    }

    @Test func everyProblemIsShownAndTheRestIsRun() async throws {
        let folder = try folder(Self.passing)
        _ = try folder.write(brokenRule, to: "broken.toml")
        _ = try folder.write("tests: 1", to: "alone.test.yaml")
        _ = try folder.write("tests:\n  - match: x\n    events: [{json: '{}'}]", to: "lonely.test.yaml")
        let test = try Command.apus("test", folder.url.path)
        #expect(try await test.status() == 65)
        #expect(test.errors.contains("alone.test.yaml:1:8: error: a list is expected here"))
        #expect(test.errors.contains("broken.toml:9:24: error: "))
        #expect(test.errors.contains("lonely.test.yaml:1:1: error: there is no valid rule beside the fixture"))
        #expect(test.lines.last == "1 rules, 4 tests: 4 passed, 0 failed; 0 rules with too few")
    }

    @Test func nothingToTest() async throws {
        let folder = try Folder()
        let test = try Command.apus("test", folder.url.path)
        #expect(try await test.status() == 66)
    }

    @Test func generatesAFixtureThatPasses() async throws {
        let folder = try folder(nil)
        let rule = folder.url.appending(path: "good.toml").path
        let generate = try Command.apus("test", "--generate", rule)
        #expect(try await generate.status() == 0, "\(generate.errors)")
        let test = try Command.apus("test", rule)
        #expect(try await test.status() == 0, "\(test.output)")
        #expect(test.output.contains("0 failed"))

        let again = try Command.apus("test", "--generate", rule)
        #expect(try await again.status() == 1)
        #expect(again.errors.contains("--force replaces it"))
        let forced = try Command.apus("test", "--generate", "--force", rule)
        #expect(try await forced.status() == 0)
    }
}

/// Elements and names of an XML text; reading it fails when it is not well-formed.
private final class XMLParsed: NSObject, XMLParserDelegate {
    private(set) var counts: [String: Int] = [:]
    private(set) var names: [String] = []

    init(_ text: String) throws {
        super.init()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = self
        try #require(parser.parse(), "\(String(describing: parser.parserError))")
    }

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        counts[element, default: 0] += 1
        if element == "testcase", let name = attributes["name"] { names.append(name) }
    }
}
