/// The answers to all predicates of a program for one event: a bit each. Working memory of one matcher, which
/// allocates and frees it.
///
/// Ten thousand rules ask hundreds of words of predicates of a field, of which a value answers a few. So it is noted
/// which words may hold an answer, and only those are looked at and cleared.
struct PredicateBits {
    private let words: UnsafeMutablePointer<UInt64>
    /// A bit per word: whether a bit of it may be set.
    private let touched: UnsafeMutablePointer<UInt64>

    init(wordCount: Int) {
        words = .allocate(capacity: max(wordCount, 1))
        words.initialize(repeating: 0, count: max(wordCount, 1))
        let summaries = wordCount / 64 + 1
        touched = .allocate(capacity: summaries)
        touched.initialize(repeating: 0, count: summaries)
    }

    func deallocate() {
        words.deallocate()
        touched.deallocate()
    }

    @inline(__always)
    func holds(_ word: Int32, _ mask: UInt64) -> Bool { words[Int(word)] & mask != 0 }

    func isSet(_ bit: Int32) -> Bool { holds(bit >> 6, 1 << UInt64(bit & 63)) }

    @inline(__always)
    func set(_ word: Int32, _ mask: UInt64) {
        words[Int(word)] |= mask
        touched[Int(word >> 6)] |= 1 << UInt64(word & 63)
    }

    @inline(__always)
    func set(_ bit: Int32) { set(bit >> 6, 1 << UInt64(bit & 63)) }

    @inline(__always)
    func set(_ masks: UnsafeBufferPointer<WordMask>) {
        for mask in masks { set(mask.word, mask.mask) }
    }

    @inline(__always)
    func clear(_ bit: Int32) { words[Int(bit >> 6)] &= ~(1 << UInt64(bit & 63)) }

    /// Clears the words of a group.
    @inline(__always)
    func clear(_ range: IndexRange) {
        forEachTouched(range) { word, _ in words[word] = 0 }
        var index = Int(range.lower >> 6)
        while index << 6 < Int(range.upper) {
            touched[index] &= ~Self.mask(of: range, in: index)
            index += 1
        }
    }

    /// Calls `body` with every word of a group that may not be zero, and its bits.
    @inline(__always)
    func forEachTouched(_ range: IndexRange, _ body: (_ word: Int, _ bits: UInt64) -> Void) {
        var index = Int(range.lower >> 6)
        while index << 6 < Int(range.upper) {
            var open = touched[index] & Self.mask(of: range, in: index)
            while open != 0 {
                let word = index << 6 + open.trailingZeroBitCount
                open &= open &- 1
                body(word, words[word])
            }
            index += 1
        }
    }

    /// Which of the 64 words from `index << 6` on are those of `range`.
    @inline(__always)
    private static func mask(of range: IndexRange, in index: Int) -> UInt64 {
        let first = max(Int(range.lower) - index << 6, 0)
        let end = min(Int(range.upper) - index << 6, 64)
        return UInt64.max << UInt64(first) & UInt64.max >> UInt64(64 - end)
    }
}
