/// What a metric is called, measures and is labelled with. Every metric Apus exposes is declared once, in
/// ``MetricDescription/all``; dashboards, rules and documentation are checked against these.
///
/// Names follow Prometheus: base units, `_total` for counters, `_seconds` and `_bytes` for what is measured in them.
public struct MetricDescription: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case counter
        case gauge
        case histogram
    }

    public let name: String
    public let kind: Kind
    /// The label names, in the order of ``MetricSample/labels``. Every one has a bounded set of values.
    public let labels: [String]
    /// One sentence for `# HELP`.
    public let help: String

    public init(_ name: String, _ kind: Kind, labels: [String] = [], _ help: String) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
    }

    /// The names under which Prometheus stores its series.
    public var seriesNames: [String] {
        kind == .histogram ? [name + "_bucket", name + "_sum", name + "_count"] : [name]
    }
}

/// One series of a metric at one moment.
public struct MetricSample: Hashable, Sendable {
    public enum Value: Hashable, Sendable {
        case number(Double)
        case histogram(Histogram)
    }

    /// The values of ``MetricDescription/labels``.
    public var labels: [String]
    public var value: Value

    public init(_ value: Double, labels: [String] = []) {
        self.labels = labels
        self.value = .number(value)
    }

    public init(_ value: UInt64, labels: [String] = []) {
        self.init(Double(value), labels: labels)
    }

    public init(_ histogram: Histogram, labels: [String] = []) {
        self.labels = labels
        value = .histogram(histogram)
    }
}

/// All series of one metric.
public struct MetricFamily: Sendable {
    public var description: MetricDescription
    public var samples: [MetricSample]

    public init(_ description: MetricDescription, _ samples: [MetricSample]) {
        self.description = description
        self.samples = samples
    }
}
