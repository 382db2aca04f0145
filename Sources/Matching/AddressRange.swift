import EventSchema

/// Addresses from one to another, both included.
struct AddressRange: BitwiseCopyable {
    var lowerHigh: UInt64
    var lowerLow: UInt64
    var upperHigh: UInt64
    var upperLow: UInt64

    init(_ block: IPBlock) {
        self.init(block.lower.number...block.upper.number)
    }

    private init(_ range: ClosedRange<UInt128>) {
        lowerHigh = UInt64(truncatingIfNeeded: range.lowerBound >> 64)
        lowerLow = UInt64(truncatingIfNeeded: range.lowerBound)
        upperHigh = UInt64(truncatingIfNeeded: range.upperBound >> 64)
        upperLow = UInt64(truncatingIfNeeded: range.upperBound)
    }

    @inline(__always)
    func begins(after address: IPAddress) -> Bool { (address.high, address.low) < (lowerHigh, lowerLow) }

    @inline(__always)
    func contains(_ address: IPAddress) -> Bool {
        (lowerHigh, lowerLow) <= (address.high, address.low) && (address.high, address.low) <= (upperHigh, upperLow)
    }

    /// The same addresses cut into ranges that do not overlap, ascending, each with the bits of all blocks around it:
    /// of a list with thousands of networks, one search finds all that an address is in.
    static func disjoint(_ blocks: [IPBlock], bits: [[Int32]]) -> [(range: AddressRange, bits: [Int32])] {
        let order = blocks.indices.sorted { blocks[$0].lower < blocks[$1].lower }
        // Where a block begins, and behind its end.
        var cuts = Set(blocks.map(\.lower.number))
        for block in blocks where block.upper.number < .max { cuts.insert(block.upper.number + 1) }
        let starts = cuts.sorted()
        var next = order[...]
        var around: [Int] = []
        var ranges: [(range: AddressRange, bits: [Int32])] = []
        for (index, start) in starts.enumerated() {
            around.removeAll { blocks[$0].upper.number < start }
            while let block = next.first, blocks[block].lower.number == start {
                around.append(block)
                next.removeFirst()
            }
            guard !around.isEmpty else { continue }
            let end = index + 1 < starts.count ? starts[index + 1] - 1 : .max
            ranges.append((AddressRange(start...end), Set(around.flatMap { bits[$0] }).sorted()))
        }
        return ranges
    }
}

extension IPAddress {
    fileprivate var number: UInt128 { UInt128(high) << 64 | UInt128(low) }
}
