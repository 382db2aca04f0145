import Dispatch

/// The Dispatch queues that lanes run on: one serial queue each, over as many threads as there are cores
/// to use.
struct LanePool: Sendable {
    private let targets: [DispatchQueue]

    /// - Parameter cores: 0 leaves the width to Dispatch, which is one thread per core.
    init(cores: Int) {
        targets =
            cores > 0
            ? (0..<cores).map { DispatchQueue(label: "apus.lanes.\($0)") }
            : [DispatchQueue(label: "apus.lanes", attributes: .concurrent)]
    }

    func makeQueue(label: String, number: UInt64) -> DispatchQueue {
        DispatchQueue(label: label, target: targets[Int(number % UInt64(targets.count))])
    }
}

extension Duration {
    /// Whole nanoseconds; longer than 292 years is the most there is.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product + attoseconds / 1_000_000_000
    }

    var dispatchInterval: DispatchTimeInterval { .nanoseconds(Int(wholeNanoseconds)) }
}
