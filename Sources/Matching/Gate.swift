import EQL
import EventSchema

/// What must be true of an event before a condition is worth evaluating: a set of tests of which at
/// least one holds whenever the condition does.
///
/// The set is sound by construction: a test covers itself, a conjunction is covered by the cover of any
/// one of its parts, a disjunction by the covers of all of them, and a negation or an expression by nothing. Conditions
/// without a cover are evaluated for every event.
struct Gate {
    var tests: [FieldTest]
    /// The estimated share of events that pass, plus what asking costs. Only the order matters.
    var cost: Double

    /// The cheapest cover of `condition`, or nil when there is none.
    static func cover(_ condition: Condition) -> Gate? {
        switch condition {
        case .constant(let value): value ? nil : Gate(tests: [], cost: 0)
        case .test(let test): Gate(tests: [test], cost: cost(of: test))
        case .not, .expression: nil
        case .all(let parts): parts.compactMap(cover).min { $0.cost < $1.cost }
        case .any(let parts):
            parts.reduce(Gate(tests: [], cost: 0)) { whole, part in
                guard let whole, let gate = cover(part) else { return nil }
                return Gate(tests: whole.tests + gate.tests, cost: whole.cost + gate.cost)
            }
        }
    }

    /// Fields with a handful of values that much of the traffic shares.
    private static let coarse: Set<FieldPath> = [
        "event.category", "event.kind", "event.type", "event.module", "event.dataset", "event.outcome",
        "event.provider", "host.os.type", "host.os.family", "host.os.platform", "network.direction",
        "network.transport", "network.type", "network.protocol", "data_stream.dataset", "agent.type",
    ]

    /// How often the test is expected to hold, from the kind of test and field. Ports and patterns are
    /// priced above plain names because busy ports are common and patterns cost a scan.
    private static func cost(of test: FieldTest) -> Double {
        switch test.test {
        case .exists: return 0.9
        case .ordered: return 0.6
        case .matches(let patterns): return min(0.15 + 0.001 * Double(patterns.count), 0.5)
        case .equalsFolded(let values):
            return coarse.contains(test.field) ? 0.5 : min(0.01 + 0.0005 * Double(values.count), 0.3)
        case .equals(let values):
            if coarse.contains(test.field) { return min(0.3 + 0.1 * Double(values.strings.count), 0.9) }
            let names = Double(values.strings.count + values.addresses.count + values.dates.count)
            let numbers = Double(values.integers.count + values.doubles.count)
            let flags = values.booleans.isEmpty ? 0 : 0.5
            return min(0.01 + 0.0005 * names + (values.strings.isEmpty ? 0.1 * numbers : 0) + flags, 0.9)
        }
    }
}
