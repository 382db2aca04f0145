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
