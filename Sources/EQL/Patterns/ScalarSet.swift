/// A set of Unicode scalars as sorted, disjoint, non-adjacent ranges; surrogates are never members.
struct ScalarSet: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<UInt32>]

    static let all = ScalarSet([0...0x10FFFF])
    static let digits = ScalarSet("0"..."9")
    /// The white space of Lucene's `\s`: blank, tab, line feed, carriage return.
    static let whitespace = ScalarSet([9...10, 13...13, 32...32])
    static let word = ScalarSet("0"..."9").union(ScalarSet("A"..."Z")).union(ScalarSet("a"..."z")).union(ScalarSet("_"))

    init(_ scalar: Unicode.Scalar) {
        ranges = [scalar.value...scalar.value]
    }

    init(_ range: ClosedRange<Unicode.Scalar>) {
        self.init([range.lowerBound.value...range.upperBound.value])
    }

    init(_ unsorted: [ClosedRange<UInt32>]) {
        ranges = []
        let scalars = unsorted.flatMap { range in
            // Cut out the surrogates, which no valid UTF-8 holds and no expression may name.
            [
                range.clamped(to: 0...0xD7FF, if: range.lowerBound <= 0xD7FF),
                range.clamped(to: 0xE000...0x10FFFF, if: range.upperBound >= 0xE000),
            ].compactMap { $0 }
        }
        for range in scalars.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...Swift.max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    var isEmpty: Bool { ranges.isEmpty }
    var isAll: Bool { self == ScalarSet.all }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    var complement: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { gaps.append(next...0x10FFFF) }
        return ScalarSet(gaps)
    }

    /// With each ASCII letter also the other case of it.
    var foldingASCII: ScalarSet {
        let upper: ClosedRange<UInt32> = 0x41...0x5A
        let lower: ClosedRange<UInt32> = 0x61...0x7A
        var folded = ranges
        for range in ranges {
            if range.overlaps(upper) {
                let part = range.clamped(to: upper)
                folded.append((part.lowerBound + 32)...(part.upperBound + 32))
            }
            if range.overlaps(lower) {
                let part = range.clamped(to: lower)
                folded.append((part.lowerBound - 32)...(part.upperBound - 32))
            }
        }
        return ScalarSet(folded)
    }

    /// The shortest way to write the set in the matcher's syntax.
    var expression: String {
        if isAll { return "." }
        if ranges.count == 1, ranges[0].count == 1 { return Self.escaped(ranges[0].lowerBound) }
        let members = ranges.map { range in
            let (lower, upper) = (Self.escaped(range.lowerBound), Self.escaped(range.upperBound))
            return switch range.count {
            case 1: lower
            case 2: lower + upper
            default: "\(lower)-\(upper)"
            }
        }
        return "[\(members.joined())]"
    }

    /// One scalar, so written that it means itself inside a class and outside. In ASCII only: two
    /// expressions are then equal as strings exactly when their code points are.
    private static func escaped(_ value: UInt32) -> String {
        guard let scalar = Unicode.Scalar(value) else { return "" }
        switch scalar {
        case "0"..."9", "A"..."Z", "a"..."z", "_", " ": return String(scalar)
        case "\u{21}"..."\u{7E}": return "\\\(scalar)"
        default: return "\\x{\(String(value, radix: 16, uppercase: true))}"
        }
    }
}

extension ClosedRange<UInt32> {
    fileprivate func clamped(to limits: Self, if overlaps: Bool) -> Self? {
        overlaps && self.overlaps(limits) ? clamped(to: limits) : nil
    }
}
