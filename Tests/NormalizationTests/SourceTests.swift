import Detection
import EQL
import EventSchema
import Events
import Foundation
import Normalization
import Settings
import Testing

@Suite("Records that are not ECS")
struct SourceTests {
    @Test("become it", arguments: RawSample.all)
    func becomeECS(_ sample: RawSample) throws {
        let compiled = Compiled(sample.fields.map { FieldPath($0.field) })
        #expect(try compiled.table(of: sample.json) == sample.table)
        for (field, values) in sample.fields {
            #expect(compiled.values(FieldPath(field)) == values, "\(field)")
        }
    }

    /// What `apus normalize` prints and what rules see: every field of the printed record has the values that the engine
    /// gives that field of the raw record.
    @Test("are shown as the engine sees them", arguments: RawSample.all)
    func shown(_ sample: RawSample) throws {
        let normalizer = RecordNormalizer(NormalizerTable.builtIn)
        let (bytes, table) = try #require(try normalizer.normalize(Array(sample.json.utf8)))
        #expect(table == sample.table)
        let shown = String(decoding: bytes, as: UTF8.self)
        let record = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        let fields = leaves(record).union(sample.fields.map { FieldPath($0.field) }).filter { $0 != "event.sequence" }
        let raw = Compiled(fields.sorted())
        let plain = Compiled(fields.sorted(), tables: [])
        #expect(try raw.table(of: sample.json) == sample.table)
        _ = try plain.table(of: shown)
        for field in fields.sorted() where field != .timestamp {
            #expect(raw.values(field) == plain.values(field), "\(field)")
        }
    }

    @Test("stay what they are once they are ECS", arguments: RawSample.all)
    func onlyOnce(_ sample: RawSample) throws {
        let normalizer = RecordNormalizer(NormalizerTable.builtIn)
        let (bytes, _) = try #require(try normalizer.normalize(Array(sample.json.utf8)))
        // Elastic gives 4663 no category; applying its table again changes nothing.
        if let (again, _) = try normalizer.normalize(bytes) {
            let objects = try [bytes, again].map { try JSONSerialization.jsonObject(with: Data($0)) as? NSDictionary }
            #expect(objects[0] == objects[1])
        }
    }

    @Test(
        "of no known source are left alone",
        arguments: [
            #"{"@timestamp":"2026-11-24T09:00:00Z","event":{"category":["process"],"code":"1"},"winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":1,"event_data":{"Image":"C:\\x.exe"}}}"#,
            #"{"winlog":{"provider_name":"Other","event_id":1,"event_data":{"Image":"C:\\x.exe"}}}"#,
            #"{"Workload":"Exchange","Operation":"x"}"#, "{}",
        ])
    func others(_ json: String) throws {
        let compiled = Compiled(["process.name", "event.action"])
        #expect(try compiled.table(of: json) == nil)
        #expect(compiled.values("process.name").isEmpty)
        #expect(try RecordNormalizer(NormalizerTable.builtIn).normalize(Array(json.utf8)) == nil)
    }

    /// What the record says itself stays, unless its table says otherwise.
    @Test func theRecordsOwnValuesStay() throws {
        let json = #"""
            {"@timestamp":"2026-11-24T09:00:00Z","host":{"name":"own"},"winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":1,"computer_name":"other","event_data":{"Image":"C:\\x.exe"}},"event.action":"raw"}
            """#
        let compiled = Compiled(["host.name", "event.action", "process.name"])
        #expect(try compiled.table(of: json) == "sysmon")
        #expect(compiled.values("host.name") == ["own"])
        #expect(compiled.values("event.action") == ["Process creation"])
        #expect(compiled.values("process.name") == ["x.exe"])
    }

    /// Parameters without a value leave two lists that do not run in parallel.
    @Test func pairsThatDoNotPair() throws {
        let json = #"""
            {"CreationTime":"2026-11-24T09:10:00","Operation":"x","RecordType":1,"Workload":"Exchange","Parameters":[{"Name":"Mailbox"},{"Name":"FilePath","Value":"f"}]}
            """#
        let compiled = Compiled(["o365.audit.Parameters.Mailbox", "o365.audit.Parameters.FilePath"])
        #expect(try compiled.table(of: json) == "office_365")
        #expect(compiled.values("o365.audit.Parameters.Mailbox").isEmpty)
        #expect(compiled.values("o365.audit.Parameters.FilePath").isEmpty)
    }
}

/// An engine's reader for some fields.
struct Compiled {
    private let queries: CompiledQueries
    private let reader: EventReader

    init(_ fields: [FieldPath], tables: [NormalizerTable] = NormalizerTable.builtIn) {
        let conditions = (["@timestamp"] + fields).map { "?`\($0.dotted.replacing(".", with: "`.`"))` != null" }
        let text = "any where " + conditions.joined(separator: " or ")
        let result = QueryReader(.bounded).read(SourceText(text))
        guard let query = result.query, let queries = try? CompiledQueries([query], normalizers: tables) else {
            preconditionFailure("\(result.diagnostics)")
        }
        self.queries = queries
        reader = queries.makeDecoder(limits: DecodeLimits())
    }

    /// Reads a record; the table that was applied.
    func table(of json: String) throws -> String? {
        let failure = Array(json.utf8).withUnsafeBytes { reader.decode($0) }
        if let failure { throw failure }
        return reader.table.map { queries.normalizers.tables[$0].name }
    }

    func values(_ field: FieldPath) -> [String] {
        if field == .timestamp, let time = reader.event.timestamp { return [time.description] }
        guard let id = queries.layout.id(of: field) else { return [] }
        return reader.event.values(id).map(\.description)
    }
}

/// The dotted names of all values of a record.
private func leaves(_ value: Any, _ prefix: String = "") -> Set<FieldPath> {
    switch value {
    case let object as [String: Any]:
        Set(object.flatMap { leaves($0.value, prefix.isEmpty ? $0.key : "\(prefix).\($0.key)") })
    case let list as [Any]: Set(list.flatMap { leaves($0, prefix) })
    case is NSNull: []
    default: [FieldPath(prefix)]
    }
}
