import DequeModule
import KafkaClient

/// Outputs are sent as they arise. A checkpoint waits until they are acknowledged; then the lane's state is written, with
/// its marker at the end, and when that is acknowledged, the positions are committed to the group.
///
/// Nothing is committed before it is done. What was sent after the last commit is sent again after a crash, with the
/// same ids.
final class AtLeastOnceDelivery: LaneDelivery {
    private let lane: UInt64
    private let environment: LaneEnvironment
    private let path: DeliveryPath.Acknowledged
    private var tracker = CheckpointTracker<Step>()
    /// Outputs by number, until they are acknowledged.
    private var inFlight: [UInt64: Output] = [:]
    private var bytesInFlight = 0
    /// Outputs that the producer had no room for, in order.
    private var unsent: Deque<UInt64> = []
    /// Outputs that will never be written; the pipeline has failed with the first of them.
    private var abandoned = 0
    /// What the newest ready checkpoint allows to be committed, of all sources.
    private var committable: [PartitionOffset] = []
    private var commitIsDue = false
    /// A checkpoint with state is on its way; the next has to wait, since markers come in order.
    private var isWritingState = false
    /// Something was sent since the last checkpoint: a crash before the next would send it again.
    private var hasSent = false

    /// What a checkpoint does when everything sent before it is acknowledged.
    private enum Step {
        case write(state: [Output], then: [PartitionOffset])
        case commit([PartitionOffset])
    }

    init(lane: UInt64, environment: LaneEnvironment, path: DeliveryPath.Acknowledged) {
        self.lane = lane
        self.environment = environment
        self.path = path
    }

    var outstanding: Int { tracker.outstanding }

    var hasRoom: Bool {
        unsent.isEmpty && tracker.outstanding < environment.options.maxOutstanding
            && bytesInFlight < environment.options.maxOutstandingBytes
    }

    var takesCheckpoint: Bool { !isWritingState }
    var isEmpty: Bool { !hasSent }
    var isCheckpointUrgent: Bool { false }
    /// A checkpoint behind an output that will never be written does not come.
    var isDrained: Bool { tracker.outstanding == abandoned && (!isWritingState || abandoned > 0) }

    func add(_ output: Output) {
        hasSent = true
        send(output)
    }

    private func send(_ output: Output) {
        let number = tracker.send()
        inFlight[number] = output
        bytesInFlight += output.size
        if !unsent.isEmpty || !transmit(number, output) { unsent.append(number) }
    }

    func checkpoint(_ positions: [PartitionOffset], hasMoved: Bool, state: [Output]) {
        hasSent = false
        if !state.isEmpty {
            isWritingState = true
            tracker.checkpoint(.write(state: state, then: positions))
        } else if hasMoved {
            tracker.checkpoint(.commit(positions))
        }
    }

    private func takeSteps() {
        while let step = tracker.takeReady() {
            switch step {
            case .write(let state, let positions):
                for output in state { send(output) }
                tracker.checkpoint(.commit(positions))
            case .commit(let positions):
                isWritingState = false
                committable = positions
                commitIsDue = true
            }
        }
    }

    func proceed() {
        retryUnsent()
        takeSteps()
        if commitIsDue { commitIsDue = !path.commit(committable) }
    }

    func delivered(_ reports: [OutputReport]) {
        for report in reports {
            if let error = report.error {
                refused(report.number, error)
            } else {
                forget(report.number)
                tracker.acknowledge(report.number)
            }
        }
        retryUnsent()
        takeSteps()
    }

    func repeatCommit() { commitIsDue = true }

    func committed() {}

    /// What was committed before is in it again: nobody waits for the answers to earlier commits any more.
    func takeCommittable() -> [PartitionOffset] {
        takeSteps()
        return committable
    }

    // MARK: Outputs

    /// Hands an output to the producer; false when it has no room.
    private func transmit(_ number: UInt64, _ output: Output) -> Bool {
        switch path.outbox.send(output, opaque: LaneReports.opaque(lane: lane, number: number)) {
        case .queued: break
        case .queueFull: return false
        case .failed(let error): refused(number, error)
        }
        return true
    }

    /// Hands over what the producer had no room for, in order, as far as there is room now.
    private func retryUnsent() {
        while let number = unsent.first, let output = inFlight[number], transmit(number, output) {
            unsent.removeFirst()
        }
    }

    /// An output that the broker will never take as it is. A smaller form is tried once; otherwise the
    /// pipeline stops, and since its offset is not committed nothing is lost.
    private func refused(_ number: UInt64, _ error: KafkaError) {
        guard let output = inFlight[number] else { return }
        guard error.code == .messageTooLarge, let smaller = output.smaller(environment.shortEncoder) else {
            forget(number)
            abandoned += 1
            environment.fail(error)
            return
        }
        environment.report(output.whenSmaller)
        bytesInFlight += smaller.size - output.size
        inFlight[number] = smaller
        if !transmit(number, smaller) { unsent.append(number) }
    }

    private func forget(_ number: UInt64) {
        if let output = inFlight.removeValue(forKey: number) { bytesInFlight -= output.size }
    }
}
