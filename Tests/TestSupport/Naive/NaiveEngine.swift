public import EQL
public import EventSchema

/// The slow, obvious evaluator of EQL: the yardstick the compiled engine is measured by.
///
/// It reads the syntax tree and whole JSON events, shares no code with the checker, the decoder or the
/// matcher beyond the field table and the parsing of times and addresses, and prefers clarity to speed
/// everywhere.
public struct NaiveEngine: Sendable {
    public enum Match: Hashable, Sendable, CustomStringConvertible {
        /// The place of the event among those given, from 0.
        case event(Int)
        /// A sequence or sample. Events are in stage order, nil for a missing event; keys are canonical
        /// text, nil for the null group of an optional key.
        case group(keys: [String?], events: [Int?])

        public var description: String {
            switch self {
            case .event(let index): "\(index)"
            case .group(let keys, let events):
                events.map { $0.map(String.init) ?? "!" }.joined(separator: " ")
                    + (keys.isEmpty ? "" : " | " + keys.map { $0 ?? "null" }.joined(separator: ", "))
            }
        }
    }

    public var schema: Schema
    public var category: FieldPath
    /// Orders events of the same timestamp; a present value sorts before an absent one.
    public var tiebreaker: FieldPath?
    public var regex: NaiveRegexMode

    public init(
        schema: Schema = .ecs, category: FieldPath = .eventCategory, tiebreaker: FieldPath? = nil,
        regex: NaiveRegexMode = .lucene
    ) {
        self.schema = schema
        self.category = category
        self.tiebreaker = tiebreaker
        self.regex = regex
    }

    /// All matches on bounded input, pipes applied.
    ///
    /// Event matches come in the order the events are given, sequences in order of completion over the
    /// events sorted by time, samples in the order of their keys or, with a window, of completion as given.
    /// Events without `@timestamp` count milliseconds from the epoch by their place. Lines that are not JSON
    /// objects match nothing.
    public func run(_ query: Query, on lines: [String]) -> [Match] { run([query], on: lines)[0] }

    /// The same for each of several queries.
    public func run(_ queries: [Query], on lines: [String]) -> [[Match]] {
        let events = lines.enumerated().compactMap { index, line in
            NaiveEvent(
                line, index: index, schema: schema, tiebreaker: tiebreaker,
                fallback: EventTime(nanoseconds: Int64(index) * 1_000_000))
        }
        return queries.map { run($0, on: events) }
    }

    private func run(_ query: Query, on events: [NaiveEvent]) -> [Match] {
        var matches: [Match] =
            switch query.form {
            case .event(let query):
                events.filter { holds(query, $0) }.map { .event($0.index) }
            case .sequence(let query):
                NaiveSequence(query: query, holds: holds).run(sorted(events)).map(\.match)
            case .sample(let query):
                NaiveSample(query: query, holds: holds)
                    .run(query.maxspan == nil ? sorted(events) : events).map(\.match)
            }
        for pipe in query.pipes {
            switch pipe.name {
            case .head: matches = Array(matches.prefix(pipe.count))
            case .tail: matches = Array(matches.suffix(pipe.count))
            }
        }
        return matches
    }

    private func holds(_ query: EventQuery, _ event: NaiveEvent) -> Bool {
        NaiveCondition(event: event, category: category, regex: regex).holds(query)
    }

    private func sorted(_ events: [NaiveEvent]) -> [NaiveEvent] {
        events.sorted { left, right in
            if left.timestamp != right.timestamp { return left.timestamp < right.timestamp }
            switch (left.tiebreaker, right.tiebreaker) {
            case (.some(let one), .some(let other)) where one != other:
                return NaiveComparison.holds(<, one, other) == true
            case (.some, .none): return true
            case (.none, .some): return false
            default: return left.index < right.index
            }
        }
    }
}

/// The value of a whole join key.
typealias NaiveKey = [NaiveValue]

/// Events that belong together, with their key.
struct NaiveGroup {
    let key: NaiveKey
    let events: [NaiveEvent?]

    var match: NaiveEngine.Match {
        .group(
            keys: key.map { $0.isNull ? nil : string($0.canonicalText) }, events: events.map { $0?.index })
    }
}

enum NaiveKeys {
    /// All keys of an event: the cartesian product of the distinct values of each field. Empty when a key
    /// that is not optional is missing.
    static func keys(_ fields: [FieldReference], of event: NaiveEvent) -> [NaiveKey] {
        var keys: [NaiveKey] = [[]]
        for field in fields {
            var values: [NaiveValue] = []
            // Keys keep the first spelling, and compare by value.
            for value in event.values(field.path) where !values.contains(where: { $0.asKey == value.asKey }) {
                values.append(value)
            }
            if values.isEmpty, field.isOptional { values = [.null] }
            keys = keys.flatMap { key in values.map { key + [$0] } }
        }
        return keys.sorted(by: precedes)
    }

    /// The order of keys in results: missing values first, numbers by value, text by code points.
    static func precedes(_ left: NaiveKey, _ right: NaiveKey) -> Bool {
        for (one, other) in zip(left.map(\.asKey), right.map(\.asKey)) where one != other {
            if one.isNull || other.isNull { return one.isNull }
            if let less = NaiveComparison.holds(<, one, other) { return less }
        }
        return false
    }

    static func comparable(_ key: NaiveKey) -> NaiveKey { key.map(\.asKey) }
}
