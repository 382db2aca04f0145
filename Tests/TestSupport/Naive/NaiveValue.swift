import EventSchema

/// A value during evaluation. Text is an array of code points, so that nothing compares by grapheme or
/// by canonical equivalence, as Swift's strings do.
enum NaiveValue: Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case text([Unicode.Scalar])
    case date(EventTime)
    case address(IPAddress, spelling: [Unicode.Scalar])

    static func text(_ string: String) -> NaiveValue { .text(Array(string.unicodeScalars)) }

    /// The value of a JSON leaf in a field of `type`; nil when the field can have no such value, which
    /// then counts as missing.
    init?(_ json: JSONValue, in type: FieldType) {
        let spelling: String
        switch json {
        case .null, .array, .object: return nil
        case .boolean(let value): spelling = value ? "true" : "false"
        case .number(let text), .string(let text): spelling = text
        }
        switch type {
        case .keyword, .wildcard, .constantKeyword, .text, .flattened, .version:
            self = .text(spelling)
        case .ip:
            let scalars = Array(spelling.unicodeScalars)
            self = IPAddress(parsing: spelling).map { .address($0, spelling: scalars) } ?? .text(scalars)
        case .long:
            if case .boolean = json { return nil }
            guard let number = Self.number(spelling) else { return nil }
            switch number {
            case .double(let value):
                guard let cut = Int64(exactly: value.rounded(.towardZero)) else { return nil }
                self = .integer(cut)
            default: self = number
            }
        case .float:
            if case .boolean = json { return nil }
            guard let value = Double(spelling) else { return nil }
            self = .double(value)
        case .boolean:
            if case .number = json { return nil }
            guard spelling == "true" || spelling == "false" else { return nil }
            self = .boolean(spelling == "true")
        case .date:
            if case .string = json, let time = Self.time(spelling) {
                self = .date(time)
            } else if case .integer(let milliseconds) = Self.number(spelling),
                let time = EventTime(milliseconds: milliseconds)
            {
                self = .date(time)
            } else if case .double(let milliseconds) = Self.number(spelling),
                let time = EventTime(milliseconds: milliseconds)
            {
                self = .date(time)
            } else {
                return nil
            }
        case .dynamic:
            switch json {
            case .boolean(let value): self = .boolean(value)
            case .number: self = Self.number(spelling) ?? .null
            default: self = .text(spelling)
            }
        }
    }

    private static func number(_ spelling: String) -> NaiveValue? {
        if let value = Int64(spelling) { return .integer(value) }
        if let value = Double(spelling), value.isFinite { return .double(value) }
        return nil
    }

    var isNull: Bool { self == .null }

    /// The value as text: what `string()` gives and what patterns are matched against.
    var canonicalText: [Unicode.Scalar] {
        switch self {
        case .null: Array("null".unicodeScalars)
        case .boolean(let value): Array((value ? "true" : "false").unicodeScalars)
        case .integer(let value): Array(String(value).unicodeScalars)
        case .double(let value): Array(String(value).unicodeScalars)
        case .text(let scalars): scalars
        case .date(let time): Array(time.description.unicodeScalars)
        case .address(_, let spelling): spelling
        }
    }

    /// The value as a part of a join key: equal values are equal keys, however they were spelled.
    var asKey: NaiveValue {
        switch self {
        case .double(let value): Int64(exactly: value).map(NaiveValue.integer) ?? self
        case .address(let address, _): .address(address, spelling: [])
        default: self
        }
    }

    var asDouble: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

extension NaiveValue {
    /// ISO 8601 or epoch milliseconds.
    static func time(_ text: String) -> EventTime? {
        EventTime(parsing: text) ?? Array(text.utf8).withUnsafeBytes { EventTime(parsingMilliseconds: $0) }
    }
}

/// Equality and order of a value and a literal; nil is "unknown", because one of them is null.
enum NaiveComparison {
    static func equal(_ left: NaiveValue, _ right: NaiveValue) -> Bool? {
        switch (left, right) {
        case (.null, _), (_, .null): nil
        case (.address(let address, _), .text(let text)), (.text(let text), .address(let address, _)):
            IPBlock(parsing: string(text))?.contains(address) ?? false
        case (.address(let one, _), .address(let other, _)): one == other
        default: order(left, right).map { $0 == 0 } ?? false
        }
    }

    static func holds(_ operation: (Int, Int) -> Bool, _ left: NaiveValue, _ right: NaiveValue) -> Bool? {
        if left.isNull || right.isNull { return nil }
        return order(left, right).map { operation($0, 0) } ?? false
    }

    /// Negative, zero or positive; nil when the two cannot be ordered.
    private static func order(_ left: NaiveValue, _ right: NaiveValue) -> Int? {
        switch (left, right) {
        case (.null, _), (_, .null): nil
        case (.integer(let one), .integer(let other)): sign(one, other)
        case (.integer, .double), (.double, .integer), (.double, .double):
            if let one = left.asDouble, let other = right.asDouble { sign(one, other) } else { nil }
        case (.boolean(let one), .boolean(let other)): one == other ? 0 : nil
        case (.boolean, .integer), (.integer, .boolean), (.boolean, .double), (.double, .boolean): nil
        case (.date(let one), .date(let other)): sign(one, other)
        case (.date(let time), _): date(right).flatMap { sign(time, $0) }
        case (_, .date(let time)): date(left).flatMap { sign($0, time) }
        case (.address(let one, _), _): address(right).flatMap { sign(one, $0) }
        case (_, .address(let other, _)): address(left).flatMap { sign($0, other) }
        // A number or a Boolean beside a string: both as canonical strings.
        case (.text, _), (_, .text): order(left.canonicalText, right.canonicalText)
        }
    }

    private static func order(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        if left == right { return 0 }
        return left.lexicographicallyPrecedes(right) ? -1 : 1
    }

    private static func sign<Value: Comparable>(_ left: Value, _ right: Value) -> Int? {
        if left == right { return 0 }
        if left < right { return -1 }
        return left > right ? 1 : nil
    }

    private static func date(_ value: NaiveValue) -> EventTime? {
        switch value {
        case .integer(let milliseconds): EventTime(milliseconds: milliseconds)
        case .double(let milliseconds): EventTime(milliseconds: milliseconds)
        case .text(let text): NaiveValue.time(string(text))
        default: nil
        }
    }

    private static func address(_ value: NaiveValue) -> IPAddress? {
        switch value {
        case .address(let address, _): address
        case .text(let text): IPAddress(parsing: string(text))
        default: nil
        }
    }
}

func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars)
    return text
}
