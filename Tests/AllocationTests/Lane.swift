import Detection
import EventSchema
import Events
import Matching
import Normalization
import Rules
import Settings

/// An evaluator with one source.
final class Lane {
    /// All rules that come with Apus.
    static let pack = compiled("config/rules", normalizers: NormalizerTable.builtIn)
    /// The rule on command lines and user agents alone.
    static let seed = compiled("config/rules/t1114_002/mail_collection_seed.toml")

    private static func compiled(_ path: String, normalizers: [NormalizerTable] = []) -> CompiledRules {
        let report = RuleLoader(checker: .streaming).load(paths: [path])
        guard let rules = try? CompiledRules(report.rules, normalizers: normalizers) else {
            preconditionFailure("\(path) compiles")
        }
        return rules
    }

    let evaluator: Evaluator
    private let source: Int
    private var offset: Int64 = 0

    init(_ queries: CompiledQueries = pack.queries, prefilter: Prefilter? = nil) {
        evaluator = Evaluator(
            queries, options: EvaluatorOptions(ordering: .stream(lateness: 2_000_000_000)), prefilter: prefilter)
        source = evaluator.addSource()
    }

    convenience init(_ rules: CompiledRules) { self.init(rules.queries, prefilter: rules.prefilter) }

    func process(_ record: [UInt8]) {
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: offset)
        offset += 1
        record.withUnsafeBytes {
            _ = evaluator.process($0, origin: origin, source: source, recordTime: nil)
        }
    }
}
