import Telemetry

/// What the probes answer, from a reading and the time. Each gives the problems it sees; none is well.
enum Health {
    /// Readings come once a second; a busy machine may be late with some.
    static let patience = 10.0
    /// Without a reading for so long the process hangs, and only a restart helps.
    static let deadAfter = 60.0

    /// Whether a restart would help. Brokers that do not answer, or a stalled lane, are no reason to.
    static func liveness(_ reading: EngineReading?, started: Double, now: Double) -> [String] {
        let last = reading?.time ?? started
        guard now - last > deadAfter else { return [] }
        return ["no reading of the engine for \(Int(now - last)) s"]
    }

    /// Whether the instance does its work.
    static func readiness(_ reading: EngineReading?, now: Double) -> [String] {
        guard let reading else { return ["the engine has not started yet"] }
        var problems: [String] = []
        if let failure = reading.failure { problems.append("stopped by an error: \(failure)") }
        let stalled = reading.lanes.filter { $0.state == .stalled }.map { String($0.partition) }
        if !stalled.isEmpty {
            problems.append("stalled: partition \(stalled.joined(separator: ", ")) has records and takes none")
        }
        if now - reading.time > patience {
            problems.append("the last reading of the engine is \(Int(now - reading.time)) s old")
        }
        let restoring = reading.lanes.filter { $0.state == .restoring }.map { String($0.partition) }
        if !reading.isReady, !restoring.isEmpty {
            problems.append("partition \(restoring.joined(separator: ", ")) takes up its state")
        }
        if !reading.isReady, problems.isEmpty {
            problems.append(
                reading.hasStarted
                    ? "no partition is assigned, or a lane does not answer" : "the consumer group is being joined")
        }
        return problems
    }

    /// Whether partitions have been assigned for a first time.
    static func startup(_ reading: EngineReading?) -> [String] {
        reading?.hasStarted == true ? [] : ["the consumer group is being joined"]
    }
}
