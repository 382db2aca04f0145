public import Events

/// Running totals of one evaluator.
public struct EvaluatorCounters: Hashable, Sendable {
    public var records: UInt64 = 0
    public var bytes: UInt64 = 0
    /// Of the records, those that no rule can match by their bytes, and that were not decoded therefore.
    public var passedOver: UInt64 = 0
    /// Hits taken that other lanes had handed on. No records: those were counted where they were read.
    public var hits: UInt64 = 0
    /// Records that matched a query or a stage of one.
    public var matched: UInt64 = 0
    /// Records without a usable timestamp of their own; the log's, or the previous record's, served.
    public var withoutTimestamp: UInt64 = 0
    /// Matches that came after the watermark had passed them. They took part as they came.
    public var late: UInt64 = 0
    /// Matches further ahead of their record's timestamp than ``EvaluatorOptions/futureTolerance``. No watermark
    /// would pass them for that long; they took part as they came.
    public var ahead: UInt64 = 0
    /// Field values that did not fit their type and counted as missing.
    public var coercionFailures: UInt64 = 0
    /// Records that were not ECS and were brought into it.
    public var normalized: UInt64 = 0
    public var scriptBlocks = ScriptBlockCounters()
    /// Events whose join keys had more combinations than ``KeyReader/maximumFanOut``.
    public var truncatedKeys: UInt64 = 0
    /// Records that could not be decoded, by the raw value of the failure.
    public var rejected: [DecodeFailure: UInt64] = [:]

    public init() {}

    /// In one access, which is checked once.
    mutating func noteRecord(bytes: Int) {
        records += 1
        self.bytes += UInt64(bytes)
    }
}
