import ArgumentParser
import Events
import Foundation
import Normalization

struct Normalize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows records in ECS, as rules see them.",
        discussion: """
            Records of known sources that are not ECS yet come out with the fields that Elastic's integrations would \
            give them, beside those they have: Windows events as Winlogbeat and Elastic Agent ship them to Kafka, \
            access logs of IIS, audit records of Microsoft 365 and Entra ID, and Microsoft Graph activity logs. Every \
            other record comes out as it is. One JSON object per line in and out; what is no JSON object is named on \
            standard error.

            The tables are those of apus run: config/normalizers holds them, and they are part of the program.

            Examples:
              apus normalize winlogbeat.ndjson | jq '{event, process}'
              kcat -C -b localhost:9092 -t winlogbeat -c 100 -q | apus normalize -
              apus normalize --normalizers ./my-tables audit.ndjson
            """)

    @Argument(help: "A file of one JSON record per line; - is standard input.")
    var file: String = "-"

    @Option(help: "A folder with tables to normalise by, in place of those that come with Apus.")
    var normalizers: String?

    @Flag(help: "Leave out records that no table is about.")
    var recognizedOnly = false

    @Option(help: "The largest record, in bytes.")
    var maxRecordBytes: Int = 16 << 20

    func run() throws {
        let normalizer = RecordNormalizer(
            try NormalizationTables.load(normalizers), limits: DecodeLimits(bytes: maxRecordBytes))
        var results = Console.Results()
        var counts: [String: Int] = [:]
        var others = 0
        let lines = try Input.lines(of: file)
        var number = 0
        while let line = try Input.next(of: lines) {
            number += 1
            if line.isEmpty { continue }
            do throws(DecodeFailure) {
                guard let (bytes, table) = try normalizer.normalize(Array(line)) else {
                    others += 1
                    if !recognizedOnly { results.line(line) }
                    continue
                }
                counts[table, default: 0] += 1
                results.line(bytes)
            } catch {
                Console.note("line \(number): not a record: \(error.reason)")
            }
        }
        results.flush()
        let tables = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        Console.note((tables + ["\(others) of no table"]).joined(separator: ", "))
    }
}
