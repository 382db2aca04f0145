/// Lucene's `<n-m>`: the decimal numbers from `n` to `m`, in either order, both included.
///
/// Written with the same width, the bounds fix the number of digits; otherwise any number of leading
/// zeros is accepted. Source: Lucene's `RegExp` and `Automata.makeDecimalInterval`.
struct DecimalInterval {
    private let bounds: ClosedRange<Int>
    /// 0 is free.
    private let width: Int

    /// Nil unless `text` is two numbers of up to 31 bits with a hyphen between them.
    init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Self.number(parts[0]), let second = Self.number(parts[1]) else {
            return nil
        }
        bounds = Swift.min(first, second)...Swift.max(first, second)
        width = parts[0].count == parts[1].count ? parts[0].count : 0
    }

    private static func number(_ digits: Substring.UTF8View) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int32(Substring(digits)).map(Int.init)
    }

    var tree: PatternTree {
        guard width == 0 else {
            return Self.numbers(from: Self.digits(bounds.lowerBound, width), to: Self.digits(bounds.upperBound, width))
        }
        // One alternative per number of digits.
        var widths: [PatternTree] = []
        var (least, count) = (0, 1)
        while least <= bounds.upperBound {
            let next = Swift.max(least, 1) * 10
            let range = bounds.clamped(to: least...(next - 1))
            if bounds.overlaps(least...(next - 1)) {
                let (lower, upper) = (Self.digits(range.lowerBound, count), Self.digits(range.upperBound, count))
                widths.append(Self.numbers(from: lower, to: upper))
            }
            (least, count) = (next, count + 1)
        }
        return .sequencing([.repeating(.one(ScalarSet("0")), atLeast: 0, atMost: nil), .choosing(widths)])
    }

    private static func digits(_ number: Int, _ width: Int) -> [UInt8] {
        let text = Array(String(number).utf8)
        return Array(repeating: UInt8(ascii: "0"), count: width - text.count) + text
    }

    /// The numbers of one width between two of that width, as a tree over their digits.
    private static func numbers(from lower: [UInt8], to upper: [UInt8]) -> PatternTree {
        guard let low = lower.first, let high = upper.first else { return .empty }
        let (lowRest, highRest) = (Array(lower.dropFirst()), Array(upper.dropFirst()))
        if low == high {
            return .sequencing([digit(low...high), numbers(from: lowRest, to: highRest)])
        }
        let count = lowRest.count
        let (zeros, nines) = (
            Array(repeating: UInt8(ascii: "0"), count: count), Array(repeating: UInt8(ascii: "9"), count: count)
        )
        // Full ranges of the leading digit first; what is left is the edge below and the edge above.
        let firstFull = lowRest == zeros ? low : low + 1
        let lastFull = highRest == nines ? high : high - 1
        var parts: [PatternTree] = []
        if firstFull > low {
            parts.append(.sequencing([digit(low...low), numbers(from: lowRest, to: nines)]))
        }
        if firstFull <= lastFull {
            parts.append(
                .sequencing([digit(firstFull...lastFull), .repeating(.one(.digits), atLeast: count, atMost: count)]))
        }
        if lastFull < high {
            parts.append(.sequencing([digit(high...high), numbers(from: zeros, to: highRest)]))
        }
        return .choosing(parts)
    }

    private static func digit(_ range: ClosedRange<UInt8>) -> PatternTree {
        .one(ScalarSet(Unicode.Scalar(range.lowerBound)...Unicode.Scalar(range.upperBound)))
    }
}
