import DequeModule

/// Which input offsets may be committed, given which outputs are acknowledged.
///
/// A checkpoint notes how far every source has been read and how many outputs that reading has caused.
/// It is ready once all of these outputs are acknowledged, in whatever order that happens: so nothing
/// is ever committed before the alerts and dead letters it caused are safe in the log.
///
///     outputs sent      1  2  3 │ 4  5 │ 6
///     acknowledged      ✓  ✓  ✓ │ ✓  · │ ✓
///     checkpoints               A      B      A is ready, B waits for output 5
struct CheckpointTracker<Positions> {
    private var checkpoints: Deque<(output: UInt64, positions: Positions)> = []
    /// Outputs from `base` on; true is acknowledged. The first, if any, is false.
    private var window: Deque<Bool> = []
    private var base: UInt64 = 1

    /// Outputs that are not acknowledged yet.
    private(set) var outstanding = 0

    /// Numbers the next output.
    mutating func send() -> UInt64 {
        window.append(false)
        outstanding += 1
        return base + UInt64(window.count) - 1
    }

    /// Notes that output `number` is safe. Numbers that are unknown or acknowledged already are ignored.
    mutating func acknowledge(_ number: UInt64) {
        guard number >= base else { return }
        let index = Int(number - base)
        guard index < window.count, !window[index] else { return }
        window[index] = true
        outstanding -= 1
        while window.first == true {
            window.removeFirst()
            base += 1
        }
    }

    /// Notes how far reading has come. Everything sent so far must be safe before it may be committed.
    mutating func checkpoint(_ positions: Positions) {
        checkpoints.append((base + UInt64(window.count) - 1, positions))
    }

    /// The newest checkpoint that is ready, if one became ready since the last call.
    mutating func takeReady() -> Positions? {
        var ready: Positions?
        while let first = checkpoints.first, first.output < base {
            ready = checkpoints.removeFirst().positions
        }
        return ready
    }
}
