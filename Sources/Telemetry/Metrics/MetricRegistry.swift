public import CoreMetrics
import Synchronization

/// The factory behind swift-metrics: what this process counts by `Counter`, `Gauge` and `Timer`, be it Apus or a
/// library, comes out at the same endpoint as the readings of the engine.
///
/// A label of swift-metrics is the name of the metric; of one that ``MetricDescription/all`` declares the help text is
/// taken from there. Thread-safe; not meant for what happens per event.
public final class MetricRegistry: MetricsFactory, Sendable {
    /// Series of one metric at most; what would exceed it is left out, so that no label can fill the memory.
    public static let maximumSeries = 1000

    private struct Key: Hashable {
        var name: String
        var labels: [String]
        var values: [String]
    }

    private let series = Mutex<[Key: Series]>([:])

    public init() {}

    /// A reading of everything, by name.
    public func families() -> [MetricFamily] {
        let all = series.withLock { $0 }
        let byName = Dictionary(grouping: all) { $0.key.name }
        return byName.sorted { $0.key < $1.key }.compactMap { name, entries in
            guard let first = entries.first else { return nil }
            let declared = MetricDescription.byName[name]
            let description =
                declared
                ?? MetricDescription(
                    name, first.value.kind, labels: first.key.labels, "Reported by a library under this name.")
            let samples = entries.sorted { $0.key.values.lexicographicallyPrecedes($1.key.values) }.map {
                MetricSample(labels: $0.key.values, value: $0.value.reading)
            }
            return MetricFamily(description, samples)
        }
    }

    private func find(_ label: String, _ dimensions: [(String, String)], _ make: () -> Series) -> Series {
        let name = Self.sanitized(label)
        let key = Key(name: name, labels: dimensions.map { Self.sanitized($0.0) }, values: dimensions.map(\.1))
        return series.withLock { series in
            if let found = series[key] { return found }
            let new = make()
            if series.count(where: { $0.key.name == name }) < Self.maximumSeries { series[key] = new }
            return new
        }
    }

    /// Letters, digits and `_`: libraries separate words by dots and dashes.
    private static func sanitized(_ name: String) -> String {
        String(
            name.map { character in
                character.isASCII && (character.isLetter || character.isNumber || character == "_") ? character : "_"
            })
    }

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions) { Series(.counter) }
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        find(label, dimensions) { Series(.counter) }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions) { Series(.gauge) }
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        find(label, dimensions) { Series(aggregate ? .histogram : .gauge) }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) { Series(.histogram) }
    }

    // Series are few and live as long as the process.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

/// One series, whatever swift-metrics calls its kind.
private final class Series: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    let kind: MetricDescription.Kind
    private let value: Mutex<MetricSample.Value>

    init(_ kind: MetricDescription.Kind) {
        self.kind = kind
        value = Mutex(kind == .histogram ? .histogram(Histogram()) : .number(0))
    }

    var reading: MetricSample.Value { value.withLock { $0 } }

    private func change(_ body: (Double) -> Double) {
        value.withLock { value in
            if case .number(let number) = value { value = .number(body(number)) }
        }
    }

    func increment(by amount: Int64) { change { $0 + Double(amount) } }
    func increment(by amount: Double) { change { $0 + amount } }
    func decrement(by amount: Double) { change { $0 - amount } }
    func reset() { value.withLock { $0 = kind == .histogram ? .histogram(Histogram()) : .number(0) } }
    func set(_ new: Int64) { change { _ in Double(new) } }
    func set(_ new: Double) { change { _ in new } }
    func record(_ new: Int64) { record(Double(new)) }

    func record(_ new: Double) {
        value.withLock { value in
            switch value {
            case .number: value = .number(new)
            case .histogram(var histogram):
                histogram.observe(new)
                value = .histogram(histogram)
            }
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }
}

extension MetricSample {
    fileprivate init(labels: [String], value: Value) {
        self.labels = labels
        self.value = value
    }
}
