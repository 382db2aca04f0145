import Dispatch
import KafkaClient

/// Lanes whose partitions are taken from them, until nothing of them is under way any more.
///
///     revoked ──▶ stop ──▶ last checkpoint safe ─┐
///     lost ─────▶ discard ─▶ transaction ended ──┼──▶ done, once
///     drain time-out ────────────────────────────┘
struct Handover: Sendable {
    let lanes: [PartitionLane]
    /// The partitions are somebody else's already: nothing of them is waited for but the end of a transaction that holds
    /// something of them, which the brokers will refuse.
    let isLost: Bool
    let path: DeliveryPath
    /// Where `done` is called.
    let control: DispatchQueue

    /// Called on `control`.
    func begin(within timeout: Duration, done: @escaping @Sendable () -> Void) {
        let once = Once()
        let finish: @Sendable () -> Void = { if once.claim() { done() } }
        if isLost {
            for lane in lanes { lane.discard() }
            switch path {
            case .atLeastOnce: return finish()
            case .exactlyOnce(let transactions):
                transactions.afterCurrent { [control] in control.async(execute: finish) }
            }
        } else {
            let drained = DispatchGroup()
            for lane in lanes {
                drained.enter()
                lane.stop { drained.leave() }
            }
            drained.notify(queue: control, execute: finish)
        }
        control.asyncAfter(deadline: .now() + timeout.dispatchInterval, execute: finish)
    }
}
