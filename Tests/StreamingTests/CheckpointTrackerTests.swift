import Testing

@testable import Streaming

struct CheckpointTrackerTests {
    @Test func aCheckpointWithoutOutputsIsReadyAtOnce() {
        var tracker = CheckpointTracker<Int>()
        tracker.checkpoint(10)
        #expect(tracker.takeReady() == 10)
        #expect(tracker.takeReady() == nil)
    }

    @Test func aCheckpointWaitsForEveryOutputBeforeIt() {
        var tracker = CheckpointTracker<Int>()
        let first = tracker.send()
        let second = tracker.send()
        tracker.checkpoint(10)
        let third = tracker.send()
        tracker.checkpoint(20)

        tracker.acknowledge(second)
        tracker.acknowledge(third)
        #expect(tracker.takeReady() == nil, "output 1 is not safe yet")
        #expect(tracker.outstanding == 1)
        tracker.acknowledge(first)
        #expect(tracker.takeReady() == 20, "both are ready; the newest says it all")
    }

    @Test func acknowledgingTwiceOrAStrangerChangesNothing() {
        var tracker = CheckpointTracker<Int>()
        let first = tracker.send()
        let second = tracker.send()
        tracker.acknowledge(second)
        tracker.acknowledge(second)
        tracker.acknowledge(99)
        #expect(tracker.outstanding == 1)
        tracker.acknowledge(first)
        tracker.acknowledge(first)
        #expect(tracker.outstanding == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func nothingIsReadyBeforeItsOutputs(seed: UInt64) {
        var random = SplitMix(state: seed)
        var tracker = CheckpointTracker<Int>()
        var unacknowledged: Set<UInt64> = []
        var needed: [Int: Set<UInt64>] = [:]
        for step in 0..<2000 {
            switch random.next() % 3 {
            case 0: unacknowledged.insert(tracker.send())
            case 1:
                if let output = unacknowledged.sorted().dropFirst(Int(random.next() % 4)).first {
                    tracker.acknowledge(output)
                    unacknowledged.remove(output)
                }
            default:
                needed[step] = unacknowledged
                tracker.checkpoint(step)
            }
            if let ready = tracker.takeReady() {
                #expect(needed[ready]?.isDisjoint(with: unacknowledged) == true)
            }
            #expect(tracker.outstanding == unacknowledged.count)
        }
    }
}

private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
