/// Which conditions are looked at for an event: for each predicate, those that it leads to.
///
/// Holds as much memory as any choice needs, so that choosing anew allocates nothing. Whoever makes one frees it.
struct GateIndex {
    /// Groups with a predicate that leads somewhere.
    private let groupList: UnsafeMutablePointer<Int32>
    private var groupCount = 0
    private let isUsed: UnsafeMutablePointer<Bool>
    /// Per word of the bit set, which bits lead somewhere.
    private let masks: UnsafeMutablePointer<UInt64>
    /// Per bit, its part of `items`.
    private let rows: UnsafeMutablePointer<IndexRange>
    private let items: UnsafeMutablePointer<Int32>
    private let wordCount: Int
    private let plan: GatePlan

    init(_ plan: GatePlan, wordCount: Int) {
        self.plan = plan
        self.wordCount = wordCount
        groupList = .allocate(capacity: max(plan.groups.count, 1))
        isUsed = .allocate(capacity: max(plan.costs.count, 1))
        masks = .allocate(capacity: max(wordCount, 1))
        rows = .allocate(capacity: max(wordCount * 64, 1))
        items = .allocate(capacity: max(plan.testCount, 1))
    }

    func deallocate() {
        groupList.deallocate()
        isUsed.deallocate()
        masks.deallocate()
        rows.deallocate()
        items.deallocate()
    }

    var groups: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(start: groupList, count: groupCount) }

    @inline(__always)
    func mask(ofWord word: Int) -> UInt64 { masks[word] }

    @inline(__always)
    func conditions(behind bit: Int) -> UnsafeBufferPointer<Int32> {
        let row = rows[bit]
        return UnsafeBufferPointer(start: items + Int(row.lower), count: Int(row.upper - row.lower))
    }

    /// Leads from the tests that are best by `selectivity` to their conditions.
    mutating func fill(_ chooser: GateChooser, _ selectivity: Selectivity) {
        masks.initialize(repeating: 0, count: wordCount)
        rows.initialize(repeating: IndexRange(lower: 0, upper: 0), count: wordCount * 64)
        isUsed.initialize(repeating: false, count: plan.costs.count)
        // How long every row is, then where it begins, then what is in it.
        chooser.choose(selectivity)
        chooser.eachChosenTest(selectivity) { test, _ in
            rows[Int(test.bit)].upper += 1
            masks[Int(test.bit >> 6)] |= 1 << UInt64(test.bit & 63)
            isUsed[Int(test.group)] = true
        }
        var next: Int32 = 0
        for bit in 0..<wordCount * 64 where rows[bit].upper > 0 {
            let count = rows[bit].upper
            rows[bit] = IndexRange(lower: next, upper: next)
            next += count
        }
        chooser.eachChosenTest(selectivity) { test, condition in
            items[Int(rows[Int(test.bit)].upper)] = condition
            rows[Int(test.bit)].upper += 1
        }
        groupCount = 0
        for index in 0..<plan.groups.count where isUsed[Int(plan.groups[index])] {
            groupList[groupCount] = plan.groups[index]
            groupCount += 1
        }
    }
}
