public import EventSchema
public import Events
import Normalization

/// Reads records for compiled queries: decodes them, brings those that are not ECS yet into ECS, and derives fields.
///
/// Every command and every stage of the engine reads through this type, so that none of them can see other fields than
/// the others. *Ownership:* as of ``EventDecoder``: one lane.
public final class EventReader {
    private let queries: CompiledQueries
    private let decoder: EventDecoder
    private let hiddenText = HiddenText()
    /// The table that was applied to the last record, by its index; nil when it is ECS.
    @exclusivity(unchecked) public private(set) var table: Int?

    init(_ queries: CompiledQueries, limits: DecodeLimits) {
        self.queries = queries
        decoder = EventDecoder(
            layout: queries.layout, timestampField: queries.timestampFields[0],
            hostKey: (target: queries.hostKeyField, candidates: queries.hostKeyCandidates),
            derived: queries.derived.hidden.map(\.target), limits: limits)
    }

    public var layout: FieldLayout { queries.layout }

    /// The last record that was read without failure.
    public var event: Event { decoder.event }

    /// Replaces `event` by the fields of `payload`, which is copied. Nil on success; `event` must not be used after a
    /// failure until the next success.
    ///
    /// - Parameter normalizes: whether a record that is not ECS is brought into ECS.
    public func decode(_ payload: UnsafeRawBufferPointer, normalizes: Bool = true) -> DecodeFailure? {
        if let failure = decoder.read(payload) { return failure }
        table = normalizes ? queries.normalizers.apply(to: decoder) : nil
        if let block = queries.derived.scriptBlock, let whole = decoder.first(block.joined), whole.kind == .string {
            decoder.takeAway(block.text)
            decoder.give(whole.bytes, to: block.text)
        }
        for index in 0..<queries.derived.hidden.count {
            let hidden = queries.derived.hidden[index]
            hiddenText.derive(hidden.target, from: hidden.source, isScript: hidden.isScript, in: decoder)
        }
        return decoder.finish()
    }
}
