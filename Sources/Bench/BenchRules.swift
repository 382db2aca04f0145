import Detection
import EQL
import EventSchema
import Matching
import Rules

/// The rule sets that are measured.
struct BenchRules {
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    /// The rule on command lines and user agents alone.
    let seed: CompiledRules
    let seedPath: String
    /// Of the seed rule.
    let prefilter: Prefilter?
    /// The sample rule: the same command lines, with a connection of the host to port 443 within a minute.
    let sample: CompiledRules
    let pack: CompiledRules
    let thousand: CompiledQueries
    /// A sequence with a first stage that every connection starts, and a second that few events pass.
    let sequence: CompiledQueries

    init(folder: String) throws {
        func load(_ path: String) throws -> CompiledRules {
            let report = RuleLoader(checker: .streaming).load(paths: [path])
            guard !report.hasErrors, !report.rules.isEmpty else {
                throw Broken(description: "\(path): no valid rules; run bench from the root of the repository")
            }
            return try CompiledRules(report.rules)
        }
        seedPath = folder + "/mail_collection_seed.toml"
        seed = try load(seedPath)
        prefilter = try seed.prefiltered(recordsHaveTimes: true).prefilter
        sample = try load(folder + "/mail_collection_with_connection.toml")
        pack = try load(folder)
        thousand = try CompiledQueries(GeneratedRules.queries(1_000).map(Self.check))
        sequence = try CompiledQueries([
            Self.check(
                """
                sequence by host.id with maxspan=30s
                  [network where event.type == "start" and destination.port == 443]
                  [process where event.type == "start" and process.name : ("powershell.exe", "curl.exe")]
                """)
        ])
    }

    static func check(_ query: String) throws -> CheckedQuery {
        let result = QueryReader(.stream).read(SourceText(query))
        guard let query = result.query else {
            throw Broken(description: "\(query): \(result.diagnostics.map(\.message).joined(separator: "; "))")
        }
        return query
    }
}
