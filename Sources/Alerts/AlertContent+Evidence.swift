import EventSchema
import Events

extension AlertContent {
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
