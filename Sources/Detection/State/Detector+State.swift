public import Events

/// What the state topic gave a detector.
public struct Restoration: Sendable {
    /// Keys that are live again.
    public var keys: Int
    /// What was skipped while reading the topic and taking it up.
    public var problems: StateProblems
}

extension Detector {
    // MARK: Writing

    /// Whether ``takeStateChanges()`` would return anything.
    public var hasStateChanges: Bool {
        keeper.map { $0.hasRepairs || evaluator.hasStateChanges || suppressor.hasChanges } ?? false
    }

    /// What has changed since the last call, for the state topic: together with everything returned before, newest
    /// per key, it is what ``restore(_:)`` takes. Take the findings first: they open and extend suppression windows.
    /// Always empty without ``StateTracking``.
    ///
    /// *Cost:* proportional to the keys that changed.
    public func takeStateChanges() -> [StateRecord] {
        keeper?.takeRecords(from: evaluator, suppressor) ?? []
    }

    /// Watermarks, sources and held events, for the marker of a checkpoint; nil without ``StateTracking``.
    public var timeState: TimeState? {
        keeper.map { evaluator.timeState(topics: $0.tracking.topics) }
    }

    // MARK: Restoring

    /// Takes up where another detector has come to: before any source is announced and any record is processed.
    ///
    /// Afterwards announce the sources, and give every record from the committed offset on, below the marker's
    /// position to ``replay(_:origin:source:)``, from there on to ``process(_:origin:source:recordTime:)``. Then the
    /// findings are those of a detector that was never interrupted.
    ///
    /// - Precondition: it was made with ``StateTracking``.
    public func restore(_ snapshot: StateSnapshot) -> Restoration {
        guard let tracking = keeper?.tracking else { preconditionFailure("a detector without state tracking") }
        var problems = snapshot.problems
        if let found = keeper?.restore(snapshot, into: evaluator, suppressor) { problems.add(found) }
        if let marker = snapshot.marker { evaluator.restore(marker.time, topics: tracking.topics) }
        return Restoration(keys: evaluator.liveKeys, problems: problems)
    }

    /// Takes a record below the marker's position. It waits for the watermark again if it did before, and otherwise
    /// is passed over without being decoded.
    ///
    /// - Returns: `.missingHeldRecord` when a record that was held matches nothing any more, as after a rule change.
    public func replay(
        _ payload: UnsafeRawBufferPointer, origin: RecordOrigin, source: Int
    ) -> StateProblem? {
        evaluator.replay(payload, origin: origin, source: source) ? nil : .missingHeldRecord
    }

    /// Says that no record of `source` below the marker's position is left to read.
    ///
    /// The watermark stands until this was said for every source that had records held.
    /// - Returns: how many records that were held did not come.
    public func endReplay(_ source: Int) -> Int { evaluator.endReplay(source) }

    /// Whether the watermark stands still for records that were held.
    public var awaitsReplay: Bool { evaluator.awaitsReplay }

    /// Payload bytes that correlations hold; an event that several of them hold counts for each.
    public var heldBytes: Int { evaluator.heldBytes }
}
