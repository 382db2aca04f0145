import EventSchema
import Foundation
import Normalization
import Testing

@testable import Settings

@Suite("The tables that come with Apus")
struct BuiltInTableTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// `APUS_TEST_UPDATE=1 swift test --filter BuiltInTableTests` writes the built-in copy anew.
    @Test("The built-in copy is config/normalizers")
    func copies() throws {
        let folder = Self.root.appending(path: "config/normalizers")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
            .sorted()
            .map { (name: $0, text: try String(contentsOf: folder.appending(path: $0), encoding: .utf8)) }
        if ProcessInfo.processInfo.environment["APUS_TEST_UPDATE"] != nil {
            let source = Self.root.appending(path: "Sources/Settings/NormalizerTables+BuiltIn.swift")
            try Self.source(files).write(to: source, atomically: true, encoding: .utf8)
        }
        #expect(files.map(\.name) == NormalizerTable.builtInFiles.map(\.name))
        for (file, builtIn) in zip(files, NormalizerTable.builtInFiles) { #expect(file.text == builtIn.text) }
    }

    private static func source(_ files: [(name: String, text: String)]) -> String {
        var text = """
            // Generated from config/normalizers, which is where to change them: BuiltInTableTests holds both to each \
            other and
            // says how to generate this file anew.

            import Normalization

            extension NormalizerTable {
                static let builtInFiles: [(name: String, text: String)] = [

            """
        for file in files {
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.isEmpty ? "" : "            \($0)" }
            text += "        (\n            \"\(file.name)\",\n            #\"\"\"\n"
            text += lines.joined(separator: "\n") + "\n            \"\"\"#\n        ),\n"
        }
        return text + "    ]\n}\n"
    }

    @Test("A folder of the same files gives the same tables")
    func folder() throws {
        let folder = Self.root.appending(path: "config/normalizers").path
        #expect(try NormalizerTable.load(folder: folder).get() == NormalizerTable.builtIn)
        #expect(try NormalizerTable.load(folder: nil).get() == NormalizerTable.builtIn)
    }

    @Test("Every field they give is one of ECS, of a known integration, or under the source's own name")
    func targets() {
        let unknown = NormalizerTable.builtIn.flatMap(\.allEntries)
            .filter { !$0.isSubtree && !Schema.ecs.defines($0.target) }
        #expect(Set(unknown.map(\.target.dotted)).sorted() == [])
    }

    /// All at once, each with its place.
    @Test func problemsOfATable() throws {
        let text = """
            nam: x
            when: {a: b}
            set: [a]
            fields:
              host..name: a
              apus.host_key: a
              process.name: {from: a, aply: basename}
              user.name: {from: a, apply: basname}
              user.id: {from: a, join: [b, c]}
              user.email: {replace: perhaps, from: a}
              o365.audit.x: {names: a, named: b}
              o365.audit.y: {names: [a, b], named: c, pick: d}
              o365.audit.z: {from: a, pick: d}
            codes: {"1": {fields: {process.pid: {apply: number}}}}
            """
        let result = NormalizerTable.parse(text, file: "t.yaml")
        guard case .failure(let errors) = result else {
            Issue.record("the table was taken")
            return
        }
        let expected = [
            "t.yaml:1:1: unknown key \"nam\"", "t.yaml:1:1: this table has no name",
            "t.yaml:2:7: a map where a list of conditions belongs", "t.yaml:2:7: this table is about no record",
            "t.yaml:3:6: a list where a map", "t.yaml:5:3: \"host..name\" is not a field name",
            "t.yaml:6:3: apus.host_key is derived by Apus", "t.yaml:7:27: unknown key \"aply\"",
            "t.yaml:8:31: \"basname\" is no transformation; did you mean basename?",
            "t.yaml:9:12: a field takes its values from one of", "t.yaml:10:25: \"perhaps\" is neither true nor false",
            "t.yaml:11:17: names is for fields with a segment *",
            "t.yaml:12:17: names needs named: the field with the values, one for each",
            "t.yaml:13:33: pick is for names", "t.yaml:14:8: codes need code",
            "t.yaml:14:37: a field takes its values from one of",
        ]
        let lines = errors.description.split(separator: "\n").map(String.init)
        #expect(zip(lines, expected).map { String($0.prefix($1.count)) } == expected)
        #expect(lines.count == expected.count)
    }

    /// Objects whose members are numbered, and which have no name of their own.
    @Test func numberedPathsAreSpelledOut() throws {
        let text = """
            name: t
            when: [{a: b}]
            fields:
              user.name: ["x.{1..3}.y", "z.{0..1}.{8..9}"]
            """
        let tables = try NormalizerTable.parse(text, file: "t.yaml").get()
        #expect(
            tables.first?.entries.map(\.origin) == [
                .first(["x.1.y", "x.2.y", "x.3.y", "z.0.8", "z.0.9", "z.1.8", "z.1.9"])
            ])
    }

    @Test(arguments: ["q.{2..1}", "q.{0..64}", "q.{0..1000}", "q.{x}", "q.{1}", "q.}"])
    func aRangeThatIsNoneIsNamed(path: String) throws {
        let text = """
            name: t
            when: [{a: b}]
            fields: {user.name: "\(path)"}
            """
        guard case .failure(let errors) = NormalizerTable.parse(text, file: "t.yaml") else {
            Issue.record("\(path) was taken")
            return
        }
        #expect(errors.description.hasPrefix("t.yaml:3:"))
        #expect(errors.description.contains("\"\(path)\": a range is written {0..15}"))
    }

    @Test func missingFolder() throws {
        guard case .failure(let errors) = NormalizerTable.load(folder: "/nonexistent/tables") else {
            Issue.record("a folder that is not there was read")
            return
        }
        #expect(errors.description == "/nonexistent/tables: cannot be read: no such file or directory")
    }
}
