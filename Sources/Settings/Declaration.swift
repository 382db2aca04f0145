/// One setting, declared once: its place in the file, what it takes and what it is for. The default is what its
/// property of ``Settings`` holds at first.
struct Declaration: Sendable {
    /// The place in the file, `kafka.brokers`; also the name for `--set`.
    let path: String
    let type: String
    let isMap: Bool
    /// What the reference shows for a setting that has no default and must be given.
    let example: String?
    /// For the operator; sentences, wrapped where it is shown.
    let documentation: String

    /// Reads a value and puts it in its place; false after reporting why not.
    let assign: @Sendable (RawValue, inout Settings, inout Reading) -> Bool
    /// The value as it stands in the settings.
    let written: @Sendable (Settings) -> WrittenValue

    init<Value>(
        _ path: String, _ property: any WritableKeyPath<Settings, Value> & Sendable, _ type: ValueType<Value>,
        requiredLike example: String? = nil, _ documentation: String
    ) {
        self.path = path
        self.type = type.description
        self.isMap = type.isMap
        self.example = example
        self.documentation = documentation
        assign = { raw, settings, reading in
            guard let value = type.read(raw, &reading) else { return false }
            settings[keyPath: property] = type.combine(settings[keyPath: property], value)
            return true
        }
        written = { type.write($0[keyPath: property]) }
    }

    var isRequired: Bool { example != nil }
    /// `kafka` of `kafka.brokers`; nil at the top.
    var section: Substring? { path.firstIndex(of: ".").map { path[..<$0] } }
    /// `brokers` of `kafka.brokers`.
    var key: Substring { section.map { path[$0.endIndex...].dropFirst() } ?? path[...] }
    /// The environment variable that sets it: `APUS_KAFKA_BROKERS`.
    var variable: String { Self.variablePrefix + path.uppercased().replacing(".", with: "_") }

    static let variablePrefix = "APUS_"
}
