import CSimdjson
public import EventSchema

/// Reads the fields of one layout out of one record after another.
///
/// A decoder keeps its buffers between records and allocates nothing once they have grown to the records it
/// sees. It belongs to one lane: not for use by two threads at once, and so not Sendable.
public final class EventDecoder {
    public let layout: FieldLayout
    private let decoder: OpaquePointer
    private let timestampField: FieldID?
    private let hostKey: (target: FieldID, candidates: [FieldID])?
    private var record = apus_json_record()

    /// The last record that decoded without failure; without any field before the first.
    public private(set) var event: Event

    /// - Parameters:
    ///   - timestampField: the field ``Event/timestamp`` is parsed from.
    ///   - hostKey: a field that is never read from records, and those whose first string that is not empty
    ///     it takes, in order of preference.
    public init(
        layout: FieldLayout, timestampField: FieldID? = nil,
        hostKey: (target: FieldID, candidates: [FieldID])? = nil, limits: DecodeLimits = DecodeLimits()
    ) {
        self.layout = layout
        self.timestampField = timestampField
        self.hostKey = hostKey
        decoder = Self.makeDecoder(layout: layout, derived: hostKey?.target, limits: limits, record: &record)
        event = Event(record: record, timestamp: nil, hostKeyCandidate: nil, coercionFailures: 0)
    }

    deinit {
        apus_json_decoder_destroy(decoder)
    }

    /// Replaces `event` by the fields of `payload`, which is copied. Nil on success; `event` must not be
    /// used after a failure until the next success.
    public func decode(_ payload: UnsafeRawBufferPointer) -> DecodeFailure? {
        let bytes = payload.baseAddress?.assumingMemoryBound(to: UInt8.self)
        if let failure = DecodeFailure(apus_json_decode(decoder, bytes, payload.count, &record)) { return failure }
        var coercionFailures = Int(record.coercion_failures)
        let timestamp = parseTimestamp(coercionFailures: &coercionFailures)
        var candidate: Int?
        if let failure = deriveHostKey(candidate: &candidate) { return failure }
        event = Event(
            record: record, timestamp: timestamp, hostKeyCandidate: candidate, coercionFailures: coercionFailures)
        return nil
    }

    private func values(_ field: FieldID) -> Event.Values {
        Event.Values(all: record.values, next: record.heads[field.index])
    }

    /// The first value that is an instant. Values before it that are none count as coercion failures.
    private func parseTimestamp(coercionFailures: inout Int) -> EventTime? {
        guard let timestampField else { return nil }
        for value in values(timestampField) {
            if let time = EventTime(value) { return time }
            coercionFailures += 1
        }
        return nil
    }

    private func deriveHostKey(candidate: inout Int?) -> DecodeFailure? {
        guard let hostKey else { return nil }
        for index in hostKey.candidates.indices {
            for value in values(hostKey.candidates[index]) where value.kind == .string && !value.bytes.isEmpty {
                candidate = index
                return DecodeFailure(apus_json_alias(decoder, hostKey.target.rawValue, value.raw, &record))
            }
        }
        return nil
    }
}

// MARK: - Timestamps

extension EventTime {
    /// The instant a decoded value of a date field means: ISO 8601 text, or epoch milliseconds as a number or in
    /// a string.
    public init?(_ value: EventValue) {
        let time: EventTime? =
            switch value.kind {
            case .string: EventTime(parsing: value.bytes) ?? EventTime(parsingMilliseconds: value.bytes)
            case .integer: EventTime(milliseconds: value.integer)
            case .double: EventTime(milliseconds: value.double)
            case .boolean: nil
            }
        guard let time else { return nil }
        self = time
    }
}

// MARK: - The decode plan

extension EventDecoder {
    private static func makeDecoder(
        layout: FieldLayout, derived: FieldID?, limits: DecodeLimits, record: inout apus_json_record
    ) -> OpaquePointer {
        // All names in one buffer: the plan copies them before it returns.
        let names = layout.paths.map { Array($0.dotted.utf8CString) }
        let text = names.flatMap { $0 }
        let decoder = text.withUnsafeBufferPointer { text in
            var offset = 0
            var fields: [apus_json_field] = []
            for index in names.indices {
                fields.append(
                    apus_json_field(
                        path: text.baseAddress.map { $0 + offset }, length: names[index].count - 1,
                        coercion: layout.types[index].coercion, is_derived: derived?.index == index ? 1 : 0))
                offset += names[index].count
            }
            return apus_json_decoder_create(
                fields, UInt16(fields.count),
                apus_json_limits(limits), &record)
        }
        guard let decoder else { preconditionFailure("no memory for a decoder of \(layout.count) fields") }
        return decoder
    }
}

extension apus_json_limits {
    init(_ limits: DecodeLimits) {
        self.init(bytes: max(0, limits.bytes), depth: max(0, limits.depth))
    }
}

extension FieldType {
    fileprivate var coercion: apus_json_coercion {
        switch self {
        case .keyword, .wildcard, .constantKeyword, .text, .flattened, .version, .ip: APUS_JSON_TEXT
        case .long: APUS_JSON_LONG
        case .float: APUS_JSON_FLOAT
        case .boolean: APUS_JSON_BOOLEAN
        case .date: APUS_JSON_DATE
        case .dynamic: APUS_JSON_DYNAMIC
        }
    }
}
