/// Whether the lanes of a membership do their work, as of the last look.
struct LaneReadiness: Sendable {
    /// Whether any partition is assigned.
    var hasAssignment = false
    /// Whether some lane has yet to take up its state.
    var isRestoring = false
    /// Partitions that have records, of which none has been taken for the stall time-out.
    private var stalled: Set<Int32> = []

    var isReady: Bool { hasAssignment && !isRestoring && stalled.isEmpty }

    /// Looks at the lanes of the assignment.
    ///
    /// - Returns: the partitions that have come to a stall since the last look, ascending.
    mutating func look(at lanes: some Sequence<PartitionLane>) -> [Int32] {
        isRestoring = lanes.contains { $0.isRestoring }
        let now = Set(lanes.lazy.filter(\.isStalled).map(\.partition))
        defer { stalled = now }
        return now.subtracting(stalled).sorted()
    }
}
