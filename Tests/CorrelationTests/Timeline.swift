import Correlation
import EQL
import EventSchema
import Events

/// Events drawn on a time line: one track per stage, one column per second, one character per event.
///
///     "aa.b"     stage 0
///     "..ab"     stage 1
///
/// A character is the event's key and `.` is nothing. Marks in one column are one event, which matches
/// several stages. Results are written as `a: 1 2`: the key, and the columns in stage order, with `!` for a missing event.
enum Timeline {
    static let second: Int64 = 1_000_000_000

    static func event(_ column: Int, seconds: Double? = nil, tiebreaker: Int64? = nil) -> RetainedEvent {
        RetainedEvent(
            copying: UnsafeRawBufferPointer(start: nil, count: 0),
            origin: RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(column)),
            timestamp: time(seconds ?? Double(column)), tiebreaker: tiebreaker)
    }

    static func time(_ seconds: Double) -> EventTime {
        EventTime(nanoseconds: Int64(seconds * Double(second)))
    }

    static func key(_ text: String) -> CorrelationKey { CorrelationKey([.string(ExactString(text))]) }

    static func hits(_ tracks: [String]) -> [StageHits] {
        let tracks = tracks.map { Array($0) }
        return (0..<(tracks.map(\.count).max() ?? 0)).compactMap { column in
            let stages = tracks.indices.compactMap { stage -> (stage: Int, keys: [CorrelationKey])? in
                guard column < tracks[stage].count, tracks[stage][column] != "." else { return nil }
                return (stage, [key(String(tracks[stage][column]))])
            }
            return stages.isEmpty ? nil : StageHits(event: event(column), stages: stages)
        }
    }

    static func stages(_ count: Int) -> [Stage] {
        (0..<count).map { _ in Stage(condition: .constant(true), keys: [JoinKey(path: "k", isOptional: false)]) }
    }

    static func text(_ completion: Completion) -> String {
        let columns = completion.steps.map { $0.map { String($0.origin.offset) } ?? "!" }.joined(separator: " ")
        return completion.key.values.map { $0.text ?? "null" }.joined(separator: ",") + ": " + columns
    }
}

extension SequenceMachine {
    /// - Parameter seconds: `maxspan`; nil is none.
    init(stages: Int, hasUntil: Bool = false, seconds: Int64? = nil, limits: CorrelationLimits = .bounded) {
        let plan = SequencePlan(
            stages: Timeline.stages(stages), until: hasUntil ? Timeline.stages(1)[0] : nil,
            maxspan: seconds.map { $0 * Timeline.second })
        self.init(plan, limits: limits)
    }

    mutating func take(_ hits: StageHits) -> [String] {
        var found: [String] = []
        advance(hits) { found.append(Timeline.text($0)) }
        return found
    }

    /// - Parameter expires: the watermark follows every event closely.
    mutating func run(_ tracks: String..., expires: Bool = false) -> [String] {
        Timeline.hits(tracks).flatMap { hits in
            defer { if expires { expire(watermark: hits.event.timestamp) { _ in } } }
            return take(hits)
        }
    }
}

extension SampleMachine {
    init(stages: Int, seconds: Int64? = nil, limits: CorrelationLimits = .bounded) {
        let plan = SamplePlan(stages: Timeline.stages(stages), maxspan: seconds.map { $0 * Timeline.second })
        self.init(plan, limits: limits)
    }

    mutating func take(_ hits: StageHits) -> [String] {
        var found: [String] = []
        advance(hits) { found.append(Timeline.text($0)) }
        return found
    }

    mutating func run(_ tracks: String..., expires: Bool = false) -> [String] {
        Timeline.hits(tracks).flatMap { hits in
            defer { if expires { expire(watermark: hits.event.timestamp) } }
            return take(hits)
        }
    }
}
