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
    // Read and written several times per record, never while another access goes on: the run time's checks for that took
    // 3 % of the time of a record (2026-11-30).
    @exclusivity(unchecked) private var record = apus_json_record()
    /// What was read of the current record, until it is finished.
    @exclusivity(unchecked) private var coercionFailures = 0
    @exclusivity(unchecked) private var shortage = false

    /// The last record that decoded without failure; without any field before the first.
    @exclusivity(unchecked) public private(set) var event: Event

    /// - Parameters:
    ///   - timestampField: the field ``Event/timestamp`` is parsed from.
    ///   - hostKey: a field that is never read from records, and those whose first string that is not empty
    ///     it takes, in order of preference.
    ///   - derived: further fields that are never read from records; ``give(_:to:)`` gives them values.
    public init(
        layout: FieldLayout, timestampField: FieldID? = nil,
        hostKey: (target: FieldID, candidates: [FieldID])? = nil, derived: [FieldID] = [],
        limits: DecodeLimits = DecodeLimits()
    ) {
        self.layout = layout
        self.timestampField = timestampField
        self.hostKey = hostKey
        let derived = derived + (hostKey.map { [$0.target] } ?? [])
        decoder = Self.makeDecoder(layout: layout, derived: derived, limits: limits, record: &record)
        event = Event(record: record, timestamp: nil, hostKeyCandidate: nil, coercionFailures: 0)
    }

    deinit {
        apus_json_decoder_destroy(decoder)
    }

    /// Replaces `event` by the fields of `payload`, which is copied. Nil on success; `event` must not be
    /// used after a failure until the next success.
    public func decode(_ payload: UnsafeRawBufferPointer) -> DecodeFailure? {
        read(payload) ?? finish()
    }

    // MARK: In two steps

    /// Reads the fields of `payload`, which is copied; until ``finish()`` further values may be given to them.
    public func read(_ payload: UnsafeRawBufferPointer) -> DecodeFailure? {
        let bytes = payload.baseAddress?.assumingMemoryBound(to: UInt8.self)
        if let failure = DecodeFailure(apus_json_decode(decoder, bytes, payload.count, &record)) { return failure }
        coercionFailures = 0
        shortage = false
        return nil
    }

    /// Takes the timestamp and the host key from what was read and given, and replaces `event`.
    public func finish() -> DecodeFailure? {
        if shortage { return .outOfMemory }
        let timestamp = parseTimestamp()
        var candidate: Int?
        if let failure = deriveHostKey(candidate: &candidate) { return failure }
        event = Event(
            record: record, timestamp: timestamp, hostKeyCandidate: candidate,
            coercionFailures: coercionFailures + Int(record.coercion_failures))
        return nil
    }

    /// A place in the values of one field, which stays good while values are given and taken away.
    public struct Cursor {
        fileprivate var index: UInt32
    }

    public func cursor(_ field: FieldID) -> Cursor { Cursor(index: record.heads[field.index]) }

    /// The value at the cursor, which moves on. What it borrows stays valid until the next record.
    public func next(_ cursor: inout Cursor) -> EventValue? {
        var values = Event.Values(all: record.values, next: cursor.index)
        defer { cursor.index = values.index }
        return values.next()
    }

    private func values(_ field: FieldID) -> Event.Values {
        Event.Values(all: record.values, next: record.heads[field.index])
    }

    public func isPresent(_ field: FieldID) -> Bool {
        record.heads[field.index] != Event.Values.none
    }

    /// The first value of `field` so far. What it borrows stays valid until the next record.
    public func first(_ field: FieldID) -> EventValue? {
        var values = values(field)
        return values.next()
    }

    /// Gives `field` one more value, read from `text` as the field reads a string. Not copied: `text` is part of a
    /// value of this record, of ``room(_:)``, or lives as long as the decoder.
    public func give(_ text: UnsafeRawBufferPointer, to field: FieldID) {
        let bytes = text.baseAddress?.assumingMemoryBound(to: UInt8.self)
        if apus_json_give(decoder, field.rawValue, bytes, text.count, &record) != APUS_JSON_OK { shortage = true }
    }

    /// Takes all values from `field`.
    public func takeAway(_ field: FieldID) {
        apus_json_take_away(decoder, field.rawValue)
    }

    /// Memory for values to give, valid until the next record. Nil when there is none: the record then fails to finish.
    public func room(_ count: Int) -> UnsafeMutableRawBufferPointer? {
        guard let bytes = apus_json_room(decoder, count) else {
            shortage = true
            return nil
        }
        return UnsafeMutableRawBufferPointer(start: bytes, count: count)
    }

    // MARK: Finishing

    /// The first value that is an instant. Values before it that are none count as coercion failures.
    private func parseTimestamp() -> EventTime? {
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
        layout: FieldLayout, derived: [FieldID], limits: DecodeLimits, record: inout apus_json_record
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
                        coercion: layout.types[index].coercion,
                        is_derived: derived.contains { $0.index == index } ? 1 : 0))
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
