import TestSupport

/// Makes inputs that are nearly right: bytes of a seed changed, cut, doubled, or mixed with another seed and with
/// the words of the language. The same seed gives the same inputs on every machine.
public struct Mutator: Sendable {
    private let seeds: [[UInt8]]
    private let words: [[UInt8]]
    private let random: SeededRandom

    private static let longest = 1 << 16

    public init(seeds: [[UInt8]], words: [[UInt8]], seed: UInt64) {
        self.seeds = seeds
        self.words = words
        random = SeededRandom(seed: seed)
    }

    /// Input `number`, which depends on no other.
    public func input(_ number: Int) -> [UInt8] {
        var start = random
        var random = SeededRandom(seed: start.next() ^ (UInt64(number) &* 0x9E37_79B9_7F4A_7C15))
        var bytes = random.pick(seeds)
        for _ in 0...random.below(4) { mutate(&bytes, &random) }
        return Array(bytes.prefix(Self.longest))
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        let place = random.below(bytes.count + 1)
        let end = min(bytes.count, place + random.below(12))
        switch random.below(10) {
        case 0: bytes.removeSubrange(place..<end)
        case 1: bytes.removeSubrange(place...)
        case 2: bytes.insert(contentsOf: random.pick(words), at: place)
        case 3: bytes.replaceSubrange(place..<end, with: random.pick(words))
        case 4: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 5: if place < bytes.count { bytes[place] ^= 1 << UInt8(random.below(8)) }
        case 6: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 7:
            let other = random.pick(seeds)
            bytes.replaceSubrange(place..., with: other[random.below(other.count + 1)...])
        case 8:
            // Depth and length: what recursion and buffers are afraid of.
            let word = random.pick(words)
            for _ in 0..<(1 << random.below(9)) { bytes.insert(contentsOf: word, at: place) }
        default:
            let other = random.below(bytes.count + 1)
            let piece = Array(bytes[place..<end])
            bytes.insert(contentsOf: piece, at: min(other, bytes.count))
        }
    }
}
