/// The text exposition format of Prometheus, version 0.0.4.
public enum Exposition {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    public static func text(_ families: [MetricFamily]) -> String {
        var text = ""
        text.reserveCapacity(1 << 14)
        for family in families where !family.samples.isEmpty {
            let name = family.description.name
            text += "# HELP \(name) \(escaped(help: family.description.help))\n"
            text += "# TYPE \(name) \(family.description.kind.rawValue)\n"
            for sample in family.samples { write(sample, of: family.description, to: &text) }
        }
        return text
    }

    private static func write(_ sample: MetricSample, of metric: MetricDescription, to text: inout String) {
        let labels = Array(zip(metric.labels, sample.labels))
        switch sample.value {
        case .number(let value): line(metric.name, labels, value, to: &text)
        case .histogram(let histogram):
            var cumulative: UInt64 = 0
            for (index, count) in histogram.counts.enumerated() {
                cumulative += count
                let bound = index < histogram.bounds.count ? number(histogram.bounds[index]) : "+Inf"
                line(metric.name + "_bucket", labels + [("le", bound)], Double(cumulative), to: &text)
            }
            line(metric.name + "_sum", labels, histogram.sum, to: &text)
            line(metric.name + "_count", labels, Double(cumulative), to: &text)
        }
    }

    private static func line(
        _ name: String, _ labels: [(String, String)], _ value: Double, to text: inout String
    ) {
        text += name
        if !labels.isEmpty {
            text += "{"
            for (index, label) in labels.enumerated() {
                if index > 0 { text += "," }
                text += "\(label.0)=\"\(escaped(label: label.1))\""
            }
            text += "}"
        }
        text += " \(number(value))\n"
    }

    /// Whole numbers without a fraction, and the three that are none as Prometheus spells them.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return String(value)
    }

    private static func escaped(help: String) -> String {
        help.replacing(#"\"#, with: #"\\"#).replacing("\n", with: #"\n"#)
    }

    private static func escaped(label: String) -> String {
        var result = ""
        for scalar in label.unicodeScalars {
            switch scalar {
            case "\\": result += #"\\"#
            case "\"": result += #"\""#
            case "\n": result += #"\n"#
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
