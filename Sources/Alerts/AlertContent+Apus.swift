import EventSchema
import Rules

extension AlertContent {
    /// `apus`: what the profile has no field for.
    func writeApus(_ alert: inout JSONWriter, omitted: [String], withEvidence: Bool = true) {
        alert.key("apus")
        alert.object { apus in
            apus.member("engine_version", encoder.engineVersion)
            apus.member("rule_hash", finding.rule.contentHash)
            apus.member("rule_stage", finding.rule.stage.rawValue)
            if let host = finding.hostKey {
                apus.member("host_key", host.value)
                apus.member("host_key_field", host.field)
            }
            apus.key("late")
            apus.boolean(finding.isLate)
            if let suppression = finding.suppression {
                apus.key("suppression")
                apus.object { write(suppression, to: &$0) }
            }
            if !omitted.isEmpty { apus.member("omitted", omitted) }
            writeJoinKeys(&apus)
            guard withEvidence else { return }
            apus.key("evidence")
            apus.array { list in
                for (index, evidence) in finding.evidence.enumerated() {
                    write(evidence, original: originals[index], to: &list)
                }
            }
        }
    }

    /// The names are those of `kibana.alert.suppression`.
    func write(_ suppression: SuppressedFindings, to writer: inout JSONWriter) {
        writer.key("terms")
        writer.array { list in
            for term in suppression.terms {
                list.object { writer in
                    writer.member("field", term.field)
                    writer.key("value")
                    if term.values.isEmpty { writer.null() } else { writer.strings(term.values) }
                }
            }
        }
        writer.member("docs_count", Int(clamping: suppression.count))
        if let first = suppression.first, let last = suppression.last {
            writer.member("start", first.description)
            writer.member("end", last.description)
        }
    }

    private func writeJoinKeys(_ apus: inout JSONWriter) {
        guard !finding.joinKeys.isEmpty else { return }
        let fields = joinFields
        apus.key("join_keys")
        apus.array { list in
            for (index, value) in finding.joinKeys.enumerated() {
                list.object { key in
                    if fields.indices.contains(index) { key.member("field", fields[index]) }
                    key.key("value")
                    if let value { key.string(value) } else { key.null() }
                }
            }
        }
    }

    /// The join key as the stage of the key step names it; stages may name their fields differently.
    private var joinFields: [String] {
        finding.rule.joinFields(ofStage: finding.keyEvidence?.stage ?? 0).map(\.dotted)
    }
}
