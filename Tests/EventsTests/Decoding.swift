import Events
import EventSchema

/// One decoded value, in a form tests can compare.
enum Plain: Hashable, CustomStringConvertible {
    case string(String)
    case integer(Int64)
    case double(Double)
    case boolean(Bool)

    init(_ value: EventValue) {
        switch value.kind {
        case .string: self = .string(String(decoding: value.bytes, as: UTF8.self))
        case .integer: self = .integer(value.integer)
        case .double: self = .double(value.double)
        case .boolean: self = .boolean(value.boolean)
        }
    }

    var description: String {
        switch self {
        case .string(let text): "\"\(text)\""
        case .integer(let number): "\(number)"
        case .double(let number): "\(number) (double)"
        case .boolean(let value): "\(value)"
        }
    }
}

/// A decoder with the fields it was made for, by name.
struct Reader {
    let decoder: EventDecoder
    let layout: FieldLayout

    init(_ fields: [FieldPath], limits: DecodeLimits = DecodeLimits()) {
        var layout = FieldLayout()
        for field in fields { _ = layout.insert(field) }
        self.layout = layout
        decoder = EventDecoder(layout: layout, timestampField: layout.id(of: .timestamp), limits: limits)
    }

    func decode(_ bytes: [UInt8]) -> DecodeFailure? {
        bytes.withUnsafeBytes { decoder.decode($0) }
    }

    func decode(_ json: String) -> DecodeFailure? { decode(Array(json.utf8)) }

    func values(_ field: FieldPath) -> [Plain] {
        guard let id = layout.id(of: field) else { return [] }
        return decoder.event.values(id).map { Plain($0) }
    }
}

/// The values of `field` in `json`; nil when the record is refused.
func values(of field: FieldPath, in json: String) -> [Plain]? {
    let reader = Reader([field])
    return reader.decode(json) == nil ? reader.values(field) : nil
}

/// A small seeded generator: Sebastiano Vigna's splitmix64.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
