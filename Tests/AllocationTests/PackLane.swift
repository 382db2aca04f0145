import Detection
import EventSchema
import Events

/// An evaluator of the pack with one source.
final class PackLane {
    let evaluator: Evaluator
    private let source: Int
    private var offset: Int64 = 0

    init(_ rules: CompiledRules) {
        evaluator = Evaluator(
            rules.queries, options: EvaluatorOptions(ordering: .stream(lateness: 2_000_000_000)))
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
