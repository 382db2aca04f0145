public import EQL
public import EventSchema
import Rules

/// How the records of an input topic are spread over its partitions, as far as a correlation can rely on it.
public struct InputKeying: Hashable, Sendable {
    public var topic: String
    /// The field whose value its producers promise to use as record key; nil promises nothing.
    public var key: FieldPath?
    public var partitions: Int

    public init(topic: String, key: FieldPath?, partitions: Int) {
        self.topic = topic
        self.key = key
        self.partitions = partitions
    }
}

/// Where the events of one correlation come together.
public enum CorrelationPlace: Hashable, Sendable {
    /// In the lane that reads them: the inputs bring all events of a join key to one.
    case inPlace
    /// In the lane of the correlate topic that the join key belongs to.
    case correlateTopic(Reason)

    /// Why the inputs do not bring the events of a join key together.
    public enum Reason: Hashable, Sendable {
        case noJoinKey
        case unkeyed(topic: String)
        /// The topic's key is no join field of every stage, or may be missing.
        case keyed(topic: String, by: FieldPath)
        case keyedDifferently(topic: String, other: String)
        /// Equal keys lie in partitions of equal numbers only where there are equally many.
        case unequalPartitions(topic: String, other: String)
    }

    /// Decides for one query; nil when it correlates nothing.
    ///
    /// In place means: there is but one lane; or all inputs are keyed by the same field and have equally many
    /// partitions, and that field stands at the same place of the join key in every stage, not optional. A key of
    /// ``FieldPath/hostKey`` and the first of its candidates count as the same.
    public init?(_ query: CheckedQuery, inputs: [InputKeying], hostKey: [FieldPath] = EventFields.defaultHostKey) {
        let stages = query.stages
        guard let first = stages.first else { return nil }
        guard inputs.contains(where: { $0.partitions > 1 }), let input = inputs.first else {
            self = .inPlace
            return
        }
        for other in inputs {
            if other.key == nil {
                self = first.keys.isEmpty ? .correlateTopic(.noJoinKey) : .correlateTopic(.unkeyed(topic: other.topic))
                return
            }
            guard other.key == input.key else {
                self = .correlateTopic(.keyedDifferently(topic: input.topic, other: other.topic))
                return
            }
            guard other.partitions == input.partitions else {
                self = .correlateTopic(.unequalPartitions(topic: input.topic, other: other.topic))
                return
            }
        }
        guard let key = input.key else { return nil }
        if Self.joinField(of: query, spreadBy: key, hostKey: hostKey) != nil {
            self = .inPlace
        } else {
            self = .correlateTopic(first.keys.isEmpty ? .noJoinKey : .keyed(topic: input.topic, by: key))
        }
    }

    /// The field of the join key that brings all stages to the partition that `key` chooses.
    static func joinField(of query: CheckedQuery, spreadBy key: FieldPath, hostKey: [FieldPath]) -> FieldPath? {
        let stages = query.stages
        guard let first = stages.first else { return nil }
        let place = first.keys.indices.first { place in
            stages.allSatisfy { stage in
                stage.keys.indices.contains(place) && !stage.keys[place].isOptional
                    && spreadsAlike(stage.keys[place].path, key, hostKey)
            }
        }
        return place.map { first.keys[$0].path }
    }

    private static func spreadsAlike(_ field: FieldPath, _ key: FieldPath, _ hostKey: [FieldPath]) -> Bool {
        func canonical(_ path: FieldPath) -> FieldPath? { path == .hostKey ? hostKey.first : path }
        return canonical(field) == canonical(key)
    }
}

extension CorrelationPlace.Reason: CustomStringConvertible {
    /// A sentence without its subject, the rule.
    public var description: String {
        switch self {
        case .noJoinKey: "joins events of all hosts"
        case .unkeyed(let topic): "cannot rely on topic '\(topic)', which is not configured as keyed by any field"
        case .keyed(let topic, let key): "does not join by \(key.dotted) in every stage, the key of topic '\(topic)'"
        case .keyedDifferently(let topic, let other): "reads topics '\(topic)' and '\(other)', keyed differently"
        case .unequalPartitions(let topic, let other):
            "reads topics '\(topic)' and '\(other)', which have different numbers of partitions"
        }
    }
}

extension CompiledRules {
    /// Where each rule's events come together; nil for a rule that correlates nothing.
    public func places(for inputs: [InputKeying]) -> [CorrelationPlace?] {
        rules.map { CorrelationPlace($0.checked, inputs: inputs, hostKey: queries.fields.hostKey) }
    }

    /// A sentence for each rule that cannot come together in place.
    public func reasonsToForward(for inputs: [InputKeying]) -> [String] {
        zip(rules, places(for: inputs)).compactMap { rule, place in
            guard case .correlateTopic(let reason)? = place else { return nil }
            return "rule '\(rule.name)' \(reason)"
        }
    }

    /// The same rules for inputs spread like these: what cannot come together in place is handed on, and what can is
    /// known by the field it relies on.
    public func spread(over inputs: [InputKeying]) -> CompiledRules {
        let places = places(for: inputs)
        var spread = self
        spread.partitionKey = partitionKey(places, inputs)
        spread.forward(
            Set(
                places.enumerated().compactMap { rule, place in
                    if case .correlateTopic? = place { rule } else { nil }
                }))
        return spread
    }

    /// Rules that correlate in place over several partitions do so only where all inputs are keyed by one field.
    private func partitionKey(_ places: [CorrelationPlace?], _ inputs: [InputKeying]) -> FieldID? {
        guard let key = inputs.first?.key, inputs.contains(where: { $0.partitions > 1 }) else { return nil }
        let field = zip(rules, places).lazy.compactMap { rule, place in
            place == .inPlace
                ? CorrelationPlace.joinField(of: rule.checked, spreadBy: key, hostKey: queries.fields.hostKey) : nil
        }.first
        return field.flatMap { queries.layout.id(of: $0) }
    }
}
