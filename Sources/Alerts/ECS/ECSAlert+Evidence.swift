import Events
import EventSchema

extension ECSAlert {
    func write(_ evidence: Evidence, original: OriginalEvent?, to list: inout JSONWriter) {
        list.object { step in
            step.member("stage", evidence.stage)
            step.member("topic", encoder.topicName(evidence.origin.topic))
            step.member("partition", Int(evidence.origin.partition))
            step.key("offset")
            step.integer(evidence.origin.offset)
            step.member("timestamp", evidence.timestamp.description)
            step.key("matches")
            step.array { matches in
                for match in evidence.matches { write(match, to: &matches) }
            }
            write(evidence.original, parsed: original, to: &step)
        }
    }

    /// The original as `event`; or, when it is too large or not JSON, its beginning as text and its size.
    private func write(_ original: [UInt8], parsed: OriginalEvent?, to step: inout JSONWriter) {
        let share = encoder.limits.allOriginals / max(1, finding.evidence.count)
        if let parsed, parsed.bytes.count <= min(encoder.limits.original, share) {
            step.key("event")
            step.json(parsed.bytes)
        } else {
            step.member("event_excerpt", Excerpt(of: original[...], limit: min(encoder.limits.excerpt, share)).text)
            step.member("event_bytes", original.count)
        }
    }

    /// `span` and `value_offset` count UTF-8 bytes of the whole value, cut off or not.
    private func write(_ match: PredicateMatch, to matches: inout JSONWriter) {
        let value = Array(match.value.utf8)
        let span = match.span?.clamped(to: 0..<value.count)
        matches.object { writer in
            writer.member("field", match.field)
            writer.member("operator", match.operation)
            let excerpt = Excerpt(of: value[...], limit: encoder.limits.value, around: span)
            writer.member("value", excerpt.text)
            if excerpt.isCut {
                writer.member("value_bytes", value.count)
                writer.member("value_offset", excerpt.offset)
            }
            if let span {
                writer.key("span")
                writer.array { bounds in
                    bounds.integer(Int64(span.lowerBound))
                    bounds.integer(Int64(span.upperBound))
                }
            }
        }
    }
}

/// The part of a text that an alert can carry, cut between code points.
struct Excerpt {
    let text: String
    /// Where in the whole the excerpt begins, in UTF-8 bytes.
    let offset: Int
    let isCut: Bool

    /// The beginning; or, when `span` would be cut off, the part that begins an eighth of the limit before it.
    init(of bytes: ArraySlice<UInt8>, limit: Int, around span: Range<Int>? = nil) {
        guard bytes.count > limit else {
            text = String(decoding: bytes, as: UTF8.self)
            offset = 0
            isCut = false
            return
        }
        var lower = bytes.startIndex
        if let span, span.upperBound > limit {
            lower += max(0, min(span.lowerBound - limit / 8, bytes.count - limit))
        }
        while lower > bytes.startIndex, bytes[lower] & 0xC0 == 0x80 { lower -= 1 }
        var upper = min(lower + max(0, limit), bytes.endIndex)
        while upper > lower, upper < bytes.endIndex, bytes[upper] & 0xC0 == 0x80 { upper -= 1 }
        text = String(decoding: bytes[lower..<upper], as: UTF8.self)
        offset = lower - bytes.startIndex
        isCut = true
    }
}

extension JSONWriter {
    mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    mutating func member(_ name: String, _ value: Int) {
        key(name)
        integer(Int64(value))
    }

    mutating func member(_ name: String, _ values: [String]) {
        key(name)
        strings(values)
    }
}
