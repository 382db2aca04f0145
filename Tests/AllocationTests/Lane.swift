import Detection
import EventSchema
import Events
import Normalization
import Rules
import Settings

/// An evaluator with one source.
final class Lane {
    /// All rules that come with Apus.
    static let pack: CompiledRules = {
        let report = RuleLoader(checker: .streaming).load(paths: ["config/rules"])
        guard let rules = try? CompiledRules(report.rules, normalizers: NormalizerTable.builtIn) else {
            preconditionFailure("the pack compiles")
        }
        return rules
    }()

    let evaluator: Evaluator
    private let source: Int
    private var offset: Int64 = 0

    init(_ queries: CompiledQueries = pack.queries) {
        evaluator = Evaluator(
            queries, options: EvaluatorOptions(ordering: .stream(lateness: 2_000_000_000)))
        source = evaluator.addSource()
    }

    func process(_ record: [UInt8]) {
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: offset)
        offset += 1
        record.withUnsafeBytes {
            _ = evaluator.process($0, origin: origin, source: source, recordTime: nil)
        }
    }
}
