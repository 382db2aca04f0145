import Synchronization

/// Lanes on their way to another set of rules.
final class RuleChangeover: Sendable {
    private let busy: Mutex<Set<Int32>>
    private let once = Once()
    private let done: @Sendable ([Int32]) -> Void

    /// - Parameter done: called once: when all lanes have changed over, or with the partitions of those that have not when
    ///   it is closed before.
    init(_ partitions: some Sequence<Int32>, done: @escaping @Sendable ([Int32]) -> Void) {
        busy = Mutex(Set(partitions))
        self.done = done
        if busy.withLock({ $0.isEmpty }) { close() }
    }

    func finished(_ partition: Int32) {
        let isLast = busy.withLock { busy in
            busy.remove(partition)
            return busy.isEmpty
        }
        if isLast { close() }
    }

    func close() {
        if once.claim() { done(busy.withLock { $0.sorted() }) }
    }
}
