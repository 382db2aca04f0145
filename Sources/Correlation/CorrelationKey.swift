public import EQL
public import EventSchema
public import Events

/// One value of a join key, compared by its type: addresses by address, instants by instant.
public enum JoinValue: Hashable, Comparable, Sendable {
    /// Only for optional keys: missing values of `?key` join each other.
    case missing
    case string(ExactString)
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    case address(IPAddress)
    case date(EventTime)

    /// Numbers by value, text by code points, addresses and dates by themselves. Kinds do not mix within one
    /// key but for missing values, which come first, and values that do not fit their field.
    public static func < (left: JoinValue, right: JoinValue) -> Bool {
        switch (left, right) {
        case (.string(let one), .string(let other)): one < other
        case (.integer(let one), .integer(let other)): one < other
        case (.integer(let one), .double(let other)): Double(one) < other
        case (.double(let one), .integer(let other)): one < Double(other)
        case (.double(let one), .double(let other)): one < other
        case (.boolean(let one), .boolean(let other)): !one && other
        case (.address(let one), .address(let other)): one < other
        case (.date(let one), .date(let other)): one < other
        default: left.rank < right.rank
        }
    }

    private var rank: Int {
        switch self {
        case .missing: 0
        case .boolean: 1
        case .integer, .double: 2
        case .string: 3
        case .address: 4
        case .date: 5
        }
    }

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
public struct CorrelationKey: Hashable, Comparable, Sendable {
    public var values: [JoinValue]

    public init(_ values: [JoinValue]) {
        self.values = values
    }

    public static func < (left: CorrelationKey, right: CorrelationKey) -> Bool {
        left.values.lexicographicallyPrecedes(right.values)
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

    /// How many values each of its keys has.
    public var fieldCount: Int { fields.count }

    /// Every combination of distinct values of the key fields, in order; empty when a key that is not optional is
    /// missing, so that the event is invisible to the stage. One empty key when there are no key fields.
    public func keys(of event: Event) -> (keys: [CorrelationKey], truncated: Bool) {
        for field in fields where !field.isOptional && !event.isPresent(field.id) { return ([], false) }
        if let key = onlyKey(of: event) { return ([key], false) }
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
            if values.isEmpty { values = [.missing] }
            if values.count == 1 {
                for index in keys.indices { keys[index].values.append(values[0]) }
            } else {
                let combined = keys.lazy.flatMap { key in values.lazy.map { CorrelationKey(key.values + [$0]) } }
                truncated = truncated || keys.count * values.count > Self.maximumFanOut
                keys = Array(combined.prefix(Self.maximumFanOut))
            }
        }
        if keys.count > 1 { keys.sort() }
        return (keys, truncated)
    }

    /// The key of an event that has one value at most in each of the fields, as most have; nil for others.
    private func onlyKey(of event: Event) -> CorrelationKey? {
        var key: [JoinValue] = []
        key.reserveCapacity(fields.count)
        for field in fields {
            var values = event.values(field.id)
            guard let value = values.next() else {
                key.append(.missing)
                continue
            }
            guard values.next() == nil else { return nil }
            key.append(Self.join(value, type: field.type))
        }
        return CorrelationKey(key)
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
