/// How often a matcher measures which predicates hold.
public struct GateSampling: Sendable {
    /// How many events lie between two samples at first. The distance is eight times as long after every choice: for ten
    /// thousand rules one takes 2.5 ms.
    public var firstInterval: UInt64
    public var longestInterval: UInt64
    /// After how many samples gates are chosen anew.
    public var samplesPerChoice: UInt64

    public init(firstInterval: UInt64 = 8, longestInterval: UInt64 = 1024, samplesPerChoice: UInt64 = 64) {
        self.firstInterval = firstInterval
        self.longestInterval = longestInterval
        self.samplesPerChoice = samplesPerChoice
    }
}

/// Follows what a matcher's events are like, and chooses its gates by that. Allocates nothing once it is made.
final class GateTuning {
    private(set) var interval: UInt64
    private let sampling: GateSampling
    private var selectivity: Selectivity
    private let chooser: GateChooser
    private var index: GateIndex
    private var samplesSinceChoice: UInt64 = 0

    init(_ program: MatchProgram, _ sampling: GateSampling) {
        self.sampling = sampling
        interval = sampling.firstInterval
        selectivity = Selectivity(program.gatePlan)
        chooser = GateChooser(program.gatePlan)
        index = GateIndex(program.gatePlan, wordCount: program.wordCount)
    }

    deinit {
        selectivity.deallocate()
        index.deallocate()
    }

    func beginSample() {
        selectivity.beginSample()
        samplesSinceChoice += 1
    }

    func notePresent(_ group: Int32) { selectivity.notePresent(group) }

    func noteHeld(_ word: Int, _ bits: UInt64) { selectivity.noteHeld(word, bits) }

    /// The gates to use from now on, when they were chosen anew; they are good as long as this object.
    func endSample() -> GateIndex? {
        guard samplesSinceChoice >= sampling.samplesPerChoice else { return nil }
        samplesSinceChoice = 0
        interval = min(interval * 8, sampling.longestInterval)
        index.fill(chooser, selectivity)
        return index
    }
}
