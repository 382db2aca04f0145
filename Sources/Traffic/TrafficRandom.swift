/// A small, splittable generator of random numbers: SplitMix64 (Steele, Lea and Flood, 2014).
///
/// The same seed gives the same numbers on every machine; the standard library's generators promise
/// no such thing.
struct TrafficRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A generator whose numbers have nothing to do with the later numbers of this one.
    mutating func split() -> TrafficRandom {
        TrafficRandom(seed: next())
    }

    /// A number from 0 up to but not including `bound`.
    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// One of `choices`, which must not be empty.
    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[below(choices.count)]
    }
}
