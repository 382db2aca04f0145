public import Events

/// What of a rule set a detector does.
///
///     input lane p ──▶ .inputs: match ─┬─▶ event rules, correlations in place ──▶ findings
///                                      └─▶ stage hits of `forwarded` rules, and the lane's watermark
///                                                     │  the correlate topic, by rule and join key
///     correlate lane q ◀───────────────────────────────┘
///        .correlate: wait for the watermarks of all input lanes ─▶ correlate ──▶ findings
public enum DetectorRole: Hashable, Sendable {
    /// Evaluates records. The stage hits of ``CompiledRules/forwarded`` rules are handed on.
    case inputs
    /// Evaluates what the detectors of all input lanes have handed on, and nothing else.
    ///
    /// - Parameters:
    ///   - lanes: the name under which the input lanes' watermarks stand in the state: no Kafka topic's.
    ///   - mayRepeat: whether a lane that crashed may be followed by one that hands the same hits on once more, as with
    ///     `at_least_once`. Without it, hits of records that were read before are those of a group that was moved back.
    case correlate(lanes: TopicID, mayRepeat: Bool)
}
