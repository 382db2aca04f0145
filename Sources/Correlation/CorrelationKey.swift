public import EQL
public import EventSchema
public import Events

/// One value of a join key, compared by its type: addresses by address, instants by instant.
public enum JoinValue: Hashable, Sendable {
    /// Only for optional keys: missing values of `?key` join each other.
    case missing
    case string(ExactString)
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    case address(IPAddress)
    case date(EventTime)

    /// The value as Apus prints it; nil for a missing one.
    public var text: String? {
        switch self {
        case .missing: nil
        case .string(let value): value.string
        case .integer(let value): String(value)
        case .double(let value): String(value)
        case .boolean(let value): String(value)
        case .address(let value): value.description
        case .date(let value): value.description
        }
    }
}

/// The values by which the events of one correlation belong together.
public struct CorrelationKey: Hashable, Sendable {
    public var values: [JoinValue]

    public init(_ values: [JoinValue]) {
        self.values = values
    }
}

/// Reads the join keys of a stage from events.
public struct KeyReader: Sendable {
    /// Beyond this many combinations of array values the rest is left out and counted.
    public static let maximumFanOut = 1024

    private let fields: [(id: FieldID, type: FieldType, isOptional: Bool)]

    /// Adds the key fields to `layout`.
    public init(_ keys: [JoinKey], layout: inout FieldLayout) {
        fields = keys.map { key in
            let id = layout.insert(key.path)
            return (id, layout.types[id.index], key.isOptional)
        }
    }

    /// Every combination of distinct values of the key fields; empty when a key that is not optional is
    /// missing, so that the event is invisible to the stage. One empty key when there are no key fields.
    ///
    /// In the order of the values' text, which is the order of what one event completes under several keys.
    public func keys(of event: Event) -> (keys: [CorrelationKey], truncated: Bool) {
        var keys = [CorrelationKey([])]
        var truncated = false
        for field in fields {
            var values: [JoinValue] = []
            for value in event.values(field.id) {
                let joined = Self.join(value, type: field.type)
                if values.contains(joined) { continue }
                guard values.count < Self.maximumFanOut else {
                    truncated = true
                    break
                }
                values.append(joined)
            }
            if values.isEmpty {
                guard field.isOptional else { return ([], truncated) }
                values = [.missing]
            }
            if values.count > 1 { values.sort { ExactString($0.text ?? "") < ExactString($1.text ?? "") } }
            if values.count == 1 {
                for index in keys.indices { keys[index].values.append(values[0]) }
            } else {
                let combined = keys.lazy.flatMap { key in values.lazy.map { CorrelationKey(key.values + [$0]) } }
                truncated = truncated || keys.count * values.count > Self.maximumFanOut
                keys = Array(combined.prefix(Self.maximumFanOut))
            }
        }
        return (keys, truncated)
    }

    private static func join(_ value: EventValue, type: FieldType) -> JoinValue {
        if type == .date, let time = EventTime(value) { return .date(time) }
        switch value.kind {
        case .string:
            if type == .ip, let address = IPAddress(parsing: value.bytes) { return .address(address) }
            return .string(ExactString(String(decoding: value.bytes, as: UTF8.self)))
        case .integer: return .integer(value.integer)
        case .double:
            return Int64(exactly: value.double).map(JoinValue.integer) ?? .double(value.double)
        case .boolean: return .boolean(value.boolean)
        }
    }
}
