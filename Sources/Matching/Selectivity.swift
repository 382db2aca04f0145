/// Of which share of events the predicates of a program hold, as far as they were measured; for the rest, estimates.
struct Selectivity {
    private let estimates: Table<Float>
    /// Per predicate and per group, of how many samples it held and how many had the field.
    private let held: UnsafeMutablePointer<UInt32>
    private let present: UnsafeMutablePointer<UInt32>
    private let groupCount: Int
    private(set) var samples: UInt32 = 0

    /// How many samples an estimate counts for.
    private static let weight: Float = 4
    /// The share of events that is expected to have a field.
    private static let estimatedPresence: Float = 0.3
    /// With more samples, older ones count for less.
    private static let most: UInt32 = 1 << 10

    /// Nothing measured yet. The caller frees it.
    init(_ plan: GatePlan) {
        estimates = plan.estimates
        groupCount = plan.costs.count
        held = .allocate(capacity: max(estimates.count, 1))
        held.initialize(repeating: 0, count: max(estimates.count, 1))
        present = .allocate(capacity: max(groupCount, 1))
        present.initialize(repeating: 0, count: max(groupCount, 1))
    }

    func deallocate() {
        held.deallocate()
        present.deallocate()
    }

    func shareThatPasses(_ bit: Int32) -> Float {
        (Float(held[Int(bit)]) + Self.weight * estimates[Int(bit)]) / (Float(samples) + Self.weight)
    }

    func shareWithField(of group: Int32) -> Float {
        (Float(present[Int(group)]) + Self.weight * Self.estimatedPresence) / (Float(samples) + Self.weight)
    }

    // MARK: Measuring

    /// Begins a sample.
    mutating func beginSample() {
        samples += 1
        guard samples > Self.most else { return }
        samples /= 2
        for bit in 0..<estimates.count { held[bit] /= 2 }
        for group in 0..<groupCount { present[group] /= 2 }
    }

    func notePresent(_ group: Int32) { present[Int(group)] += 1 }

    /// Notes which predicates of a word hold.
    func noteHeld(_ word: Int, _ bits: UInt64) {
        var open = bits
        while open != 0 {
            held[word << 6 + open.trailingZeroBitCount] += 1
            open &= open &- 1
        }
    }
}
