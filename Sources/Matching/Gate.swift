import EQL
import EventSchema

/// The sets of tests to choose from of which one holds whenever a condition does: what has to be true of an event before
/// the condition is worth evaluating.
///
/// Sound by construction: a test covers itself, a conjunction is covered by any one of its parts, a disjunction by all of
/// them together, and a negation or an expression by nothing. A condition without a gate is evaluated for every event.
indirect enum Gate {
    case test(FieldTest)
    /// Any one of these will do.
    case oneOf([Gate])
    /// All of these are needed; without any, nothing passes.
    case allOf([Gate])

    /// Nil when there is none.
    init?(_ condition: Condition) {
        switch condition {
        case .constant(let value):
            if value { return nil }
            self = .allOf([])
        case .test(let test): self = .test(test)
        case .not, .expression: return nil
        case .all(let parts):
            let gates = parts.compactMap(Gate.init)
            if gates.isEmpty { return nil }
            self = gates.count == 1 ? gates[0] : .oneOf(gates)
        case .any(let parts):
            let gates = parts.compactMap(Gate.init)
            if gates.count < parts.count { return nil }
            self = gates.count == 1 ? gates[0] : .allOf(gates)
        }
    }
}

// MARK: - Estimates

extension FieldTest {
    /// Fields with a handful of values that much of the traffic shares.
    private static let coarse: Set<FieldPath> = [
        "event.category", "event.kind", "event.type", "event.module", "event.dataset", "event.outcome",
        "event.provider", "host.os.type", "host.os.family", "host.os.platform", "network.direction",
        "network.transport", "network.type", "network.protocol", "data_stream.dataset", "agent.type",
    ]

    /// Whether much of the traffic shares the field's values.
    var isCoarse: Bool { Self.coarse.contains(field) }

    /// The share of events that is expected to pass, as long as nothing has been measured: from the kind of test and
    /// field. Ports are put above plain names because busy ports are common.
    var estimatedShare: Float {
        switch test {
        case .exists: return 0.9
        case .ordered: return 0.6
        case .matches(let patterns): return min(0.15 + 0.001 * Float(patterns.count), 0.5)
        case .equalsFolded(let values):
            return isCoarse ? 0.5 : min(0.01 + 0.0005 * Float(values.count), 0.3)
        case .equals(let values):
            if isCoarse { return min(0.3 + 0.1 * Float(values.strings.count), 0.9) }
            let names = Float(values.strings.count + values.addresses.count + values.dates.count)
            let numbers = Float(values.integers.count + values.doubles.count)
            let flags: Float = values.booleans.isEmpty ? 0 : 0.5
            return min(0.01 + 0.0005 * names + (values.strings.isEmpty ? 0.1 * numbers : 0) + flags, 0.9)
        }
    }
}
