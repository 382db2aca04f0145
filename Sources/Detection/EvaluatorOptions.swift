public import Correlation
public import Events

/// When matches are handed on, and in which order events take part in sequences.
public enum Ordering: Hashable, Sendable {
    /// Sequences wait until the watermark passes, which trails the newest event by `lateness`
    /// nanoseconds; single events and samples are handed on as they come.
    case stream(lateness: Int64)
    /// The input ends: everything waits until then and is handed on in event order.
    case sorted
}

public struct EvaluatorOptions: Hashable, Sendable {
    public var ordering: Ordering
    public var decodeLimits: DecodeLimits
    public var correlationLimits: CorrelationLimits
    /// How many samples a key gives where the input ends and the query has no `maxspan`; Elasticsearch's
    /// `max_samples_per_key`.
    public var samplesPerKey = 1
    /// Event times may run this far ahead of the record's own timestamp before they stop moving the
    /// watermark: one host with a wrong clock must not make everybody else late. Nanoseconds.
    public var futureTolerance: Int64
    /// Topics whose records are taken as they are: no table of ``CompiledQueries/normalizers`` applies to them.
    public var verbatimTopics: Set<TopicID> = []
    public var scriptBlocks = ScriptBlockLimits()

    public init(
        ordering: Ordering, decodeLimits: DecodeLimits = DecodeLimits(),
        correlationLimits: CorrelationLimits = CorrelationLimits(), futureTolerance: Int64 = 300_000_000_000
    ) {
        self.ordering = ordering
        self.decodeLimits = decodeLimits
        self.correlationLimits = correlationLimits
        self.futureTolerance = futureTolerance
    }
}

extension EvaluatorOptions {
    var lateness: Int64 {
        switch ordering {
        case .stream(let lateness): lateness
        case .sorted: .max
        }
    }

    /// The watermarks of input lanes have it taken off already.
    func lateness(for role: DetectorRole) -> Int64 {
        if case .correlate = role, lateness != .max { 0 } else { lateness }
    }

    /// Whether records of a topic that are not ECS are brought into it.
    func normalizes(_ topic: TopicID) -> Bool { verbatimTopics.isEmpty || !verbatimTopics.contains(topic) }
}
