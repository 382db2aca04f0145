import Foundation
import Testing

@testable import Settings

@Suite("The reference of all settings")
struct ReferenceTests {
    private let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// `APUS_TEST_UPDATE=1 swift test --filter ReferenceTests` writes the file anew; review the change.
    @Test("config/apus.yaml is the reference")
    func shippedFile() throws {
        let file = packageRoot.appending(path: "config/apus.yaml")
        if ProcessInfo.processInfo.environment["APUS_TEST_UPDATE"] != nil {
            try Settings.reference().write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try Settings.contents(ofFile: file.path) == Settings.reference())
    }

    /// Written anew as `config/apus.yaml` is.
    @Test("ops/configuration.md is the reference, too")
    func markdown() throws {
        let file = packageRoot.appending(path: "ops/configuration.md")
        if ProcessInfo.processInfo.environment["APUS_TEST_UPDATE"] != nil {
            try Settings.markdownReference().write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try Settings.contents(ofFile: file.path) == Settings.markdownReference())
    }

    @Test("The reference, read as settings, gives every default")
    func givesDefaults() throws {
        let read = try load(Settings.reference()).get()
        #expect(read.origins.keys.sorted() == Settings.declarations.map(\.path).sorted())
        let defaults = Settings()
        for declaration in Settings.declarations {
            let expected = declaration.example ?? declaration.written(defaults).flow
            #expect(declaration.written(read).flow == expected, "\(declaration.path)")
        }
    }

    @Test("For programs every setting has its path, its value in JSON's types, and where it was given")
    func shownForPrograms() throws {
        let settings = try load(
            minimal + """
                script_blocks: {max_parts: 7, timeout: 45s}
                rules.strict: true
                kafka.properties: {client.id: a}
                """,
            flags: [("input.topics", "a,b=host.id")]
        ).get()
        let data = try JSONEncoder().encode(settings.shown)
        let shown = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        #expect(shown.map { $0["path"] as? String } == Settings.declarations.map(\.path))
        func setting(_ path: String) -> [String: Any]? { shown.first { $0["path"] as? String == path } }
        #expect(setting("kafka.brokers")?["value"] as? [String] == ["kafka:9092"])
        #expect((setting("kafka.brokers")?["origin"] as? String)?.hasPrefix("apus.yaml:2:") == true)
        #expect(setting("script_blocks.max_parts")?["value"] as? Int == 7)
        #expect(setting("script_blocks.timeout")?["value"] as? String == "45s")
        #expect(setting("rules.strict")?["value"] as? Bool == true)
        #expect(setting("kafka.properties")?["value"] as? [String: String] == ["client.id": "a"])
        let topics = setting("input.topics")?["value"] as? [Any]
        #expect(topics?.first as? String == "a")
        #expect(topics?.last as? [String: String] == ["name": "b", "key": "host.id"])
        #expect(setting("input.topics")?["origin"] as? String == "--set input.topics")
        #expect(setting("health.file")?["value"] is NSNull)
        #expect(setting("health.file").map { $0.keys.sorted() } == ["path", "value"])
    }

    @Test("Rendered settings read back as the same settings and say where each was given")
    func roundTrip() throws {
        let settings = try load(
            minimal + """
                host_key: [host.id]
                kafka.properties: {client.id: "a \\" b\\n", debug: "~", client.rack: "literal:file:x: #"}
                """,
            environment: ["APUS_HEALTH_FILE": "/run/apus/health.json"],
            flags: [("input.topics", "events=apus.host_key"), ("kafka.brokers", "[::1]:9092")]
        ).get()
        let rendered = settings.rendered()
        var again = try load(rendered).get()
        again.origins = settings.origins
        #expect(again == settings)
        #expect(rendered.contains("  # from --set input.topics\n  topics: [{name: events, key: apus.host_key}]\n"))
        #expect(rendered.contains("  # from environment variable APUS_HEALTH_FILE\n"))
        #expect(rendered.contains("# from apus.yaml:7:11\nhost_key: [host.id]\n"))
    }

    @Test("No two settings share a variable, and none looks like an entry of a map or like a foreign variable")
    func variablesAreDistinct() {
        let variables = Settings.declarations.map(\.variable)
        #expect(Set(variables).count == variables.count)
        for map in Settings.declarations where map.isMap {
            #expect(variables.allSatisfy { !$0.hasPrefix(map.variable + "_") })
        }
        for foreign in Settings.foreignVariables {
            let prefix = foreign.hasSuffix("*") ? String(foreign.dropLast()) : foreign
            #expect(variables.allSatisfy { !$0.hasPrefix(prefix) })
        }
    }

    @Test("Every section is declared, used and explained")
    func sections() {
        #expect(Set(Settings.declarations.compactMap(\.section).map(String.init)) == Set(Settings.sections.keys))
    }
}
