import Correlation
import Detection
import EQL
import EventSchema
import Events
import TestSupport

/// The compiled engine as `apus query` runs it, with results in the terms of the naive one.
enum CompiledEngine {
    /// All matches of each query, pipes applied. The queries are compiled together.
    ///
    /// Events without a timestamp count milliseconds from the epoch by their place.
    static func run(
        _ queries: [CheckedQuery], on lines: [String], fields: EventFields = EventFields()
    ) throws -> [[NaiveEngine.Match]] {
        let evaluator = Evaluator(
            try CompiledQueries(queries, fields: fields),
            options: EvaluatorOptions(ordering: .sorted, correlationLimits: .bounded))
        let source = evaluator.addSource()
        for place in lines.indices { evaluator.take(lines[place], place: place, source: source) }
        evaluator.finish()
        return results(evaluator.takeMatches(), of: queries)
    }

    /// Matches by query, in the terms of the naive engine.
    static func results(_ matches: [QueryMatch], of queries: [CheckedQuery]) -> [[NaiveEngine.Match]] {
        queries.indices.map { index in
            let query = queries[index]
            return query.cut(matches.filter { $0.query == index }).map { match in
                let places = match.steps.map { $0.map { Int($0.origin.offset) } }
                if case .event = query.form { return .event(places[0] ?? -1) }
                return .group(keys: match.key.values.map(\.text), events: places)
            }
        }
    }
}

extension Evaluator {
    /// Processes a line whose offset is its place. A line that is no event matches nothing.
    func take(_ line: String, place: Int, source: Int) {
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(place))
        let time = EventTime(nanoseconds: Int64(place) * 1_000_000)
        _ = Array(line.utf8).withUnsafeBytes { process($0, origin: origin, source: source, recordTime: time) }
    }
}
