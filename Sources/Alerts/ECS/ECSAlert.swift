import EventSchema
import Rules

/// One alert in the `ecs` profile.
///
/// Field names and allowed values: the ECS 8.17 field reference. `rule.*`, `threat.*` and `related.*` are as
/// there; what ECS has no field for is under `apus.*`.
struct ECSAlert {
    let finding: Finding
    let id: AlertID
    let created: EventTime?
    let encoder: AlertEncoder
    /// The originals, in evidence order; nil for one that is not a JSON object.
    private let originals: [OriginalEvent?]
    /// The originals, or in ECS those that are not.
    private let readable: [OriginalEvent?]

    static let version = "8.17.0"

    private var rule: Rule { finding.rule }

    init(finding: Finding, id: AlertID, created: EventTime?, encoder: AlertEncoder) {
        self.finding = finding
        self.id = id
        self.created = created
        self.encoder = encoder
        let originals = finding.evidence.map { OriginalEvent($0.original) }
        self.originals = originals
        readable = zip(finding.evidence, originals).map { evidence, original in
            evidence.normalized.flatMap { OriginalEvent($0) } ?? original
        }
    }

    func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { alert in
            if let last = finding.evidence.map(\.timestamp).max() {
                alert.member("@timestamp", last.description)
            }
            alert.key("ecs")
            alert.object { $0.member("version", Self.version) }
            alert.member("message", message)
            writeEvent(&alert)
            writeRule(&alert)
            writeThreats(&alert)
            if !rule.tags.isEmpty { alert.member("tags", rule.tags) }
            writeRelated(&alert)
            let omitted = writeKeyStep(&alert)
            writeApus(&alert, omitted: omitted)
        }
        return writer.bytes
    }

    // MARK: event, rule, threat

    private func writeEvent(_ alert: inout JSONWriter) {
        alert.key("event")
        alert.object { event in
            event.member("kind", "alert")
            event.member("category", ["intrusion_detection"])
            event.member("type", ["info"])
            event.member("action", "rule-match")
            event.member("module", "apus")
            event.member("dataset", "apus.alert")
            event.member("id", id.description)
            event.member("severity", rule.severity.number)
            event.key("risk_score")
            event.double(rule.riskScore)
            event.member("reason", reason)
            let times = finding.evidence.map(\.timestamp)
            if let first = times.min(), let last = times.max() {
                event.member("start", first.description)
                event.member("end", last.description)
            }
            if let created { event.member("created", created.description) }
        }
    }

    private func writeRule(_ alert: inout JSONWriter) {
        alert.key("rule")
        alert.object { writer in
            writer.member("id", rule.id)
            writer.member("uuid", rule.id)
            writer.member("name", rule.name)
            writer.member("description", rule.description)
            if let tactic = rule.threats.first?.tactic { writer.member("category", tactic.name) }
            if !rule.author.isEmpty { writer.member("author", rule.author) }
            if let license = rule.license { writer.member("license", license) }
            if !rule.references.isEmpty { writer.member("reference", rule.references) }
            if let version = rule.version { writer.member("version", String(version)) }
            if let ruleset = rule.ruleset { writer.member("ruleset", ruleset) }
        }
    }

    /// ECS has one `threat` with parallel lists; entries of further frameworks are in the rule.
    private func writeThreats(_ alert: inout JSONWriter) {
        guard let framework = rule.threats.first?.framework else { return }
        let threats = rule.threats.filter { $0.framework == framework }
        let techniques = threats.flatMap(\.techniques)
        alert.key("threat")
        alert.object { threat in
            threat.member("framework", framework)
            threat.key("tactic")
            threat.object { $0.entries(threats.map(\.tactic)) }
            guard !techniques.isEmpty else { return }
            threat.key("technique")
            threat.object { technique in
                technique.entries(techniques.map(\.entry))
                let subtechniques = techniques.flatMap(\.subtechniques)
                guard !subtechniques.isEmpty else { return }
                technique.key("subtechnique")
                technique.object { $0.entries(subtechniques) }
            }
        }
    }

    // MARK: What the events say

    private func writeRelated(_ alert: inout JSONWriter) {
        let related = [
            ("hosts", ["host.name", "host.hostname"]),
            ("ip", ["host.ip", "source.ip", "destination.ip", "client.ip", "server.ip"]),
            ("user", ["user.name", "source.user.name", "destination.user.name", "client.user.name"]),
        ].map { name, paths in (name, gather(paths)) }
        guard related.contains(where: { !$0.1.isEmpty }) else { return }
        alert.key("related")
        alert.object { writer in
            for (name, values) in related where !values.isEmpty { writer.member(name, values) }
        }
    }

    /// The distinct values of fields over all steps, in order of appearance.
    private func gather(_ paths: [String]) -> [String] {
        var seen: Set<String> = []
        return readable.compactMap { $0 }.flatMap { original in paths.flatMap(original.texts) }
            .filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    private var keyOriginal: OriginalEvent? {
        readable.indices.contains(finding.keyStep) ? readable[finding.keyStep] : readable.first ?? nil
    }

    /// Copies the objects an analyst looks for first; returns the names of those too large to copy.
    private func writeKeyStep(_ alert: inout JSONWriter) -> [String] {
        guard let original = keyOriginal else { return [] }
        var omitted: [String] = []
        for member in ["host", "user", "process", "source", "destination"].flatMap(original.members) {
            guard member.value.count <= encoder.limits.member else {
                omitted.append(member.name)
                continue
            }
            alert.key(member.name)
            alert.json(original.bytes[member.value])
        }
        return omitted
    }

    // MARK: apus

    private func writeApus(_ alert: inout JSONWriter, omitted: [String]) {
        alert.key("apus")
        alert.object { apus in
            apus.member("engine_version", encoder.engineVersion)
            apus.member("rule_hash", rule.contentHash)
            apus.member("rule_stage", rule.stage.rawValue)
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
            apus.key("evidence")
            apus.array { list in
                for (index, evidence) in finding.evidence.enumerated() {
                    write(evidence, original: originals[index], to: &list)
                }
            }
        }
    }

    /// The names are those of `kibana.alert.suppression`.
    private func write(_ suppression: SuppressedFindings, to writer: inout JSONWriter) {
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
        rule.joinFields(ofStage: finding.keyEvidence?.stage ?? 0).map(\.dotted)
    }
}

// MARK: - Words

extension ECSAlert {
    private var message: String { rule.name + scene }

    /// ` on HOST by USER`, as far as known.
    private var scene: String {
        let host = keyOriginal?.texts(of: "host.name").first ?? finding.hostKey?.value
        let user = keyOriginal?.texts(of: "user.name").first
        return (host.map { " on \($0)" } ?? "") + (user.map { " by \($0)" } ?? "")
    }

    /// The most telling condition of each step, then where.
    private var reason: String {
        let steps = finding.evidence.prefix(5).compactMap { evidence -> String? in
            guard let match = evidence.matches.first(where: { $0.span != nil }) ?? evidence.matches.last
            else { return nil }
            let value = Array(match.value.utf8)
            let part = match.span.map { value[$0.clamped(to: 0..<value.count)] } ?? value[...]
            return "\(match.field) \(match.operation) \"\(Excerpt(of: part, limit: 160).text)\""
        }
        guard !steps.isEmpty else { return message }
        return steps.joined(separator: "; ") + scene
    }
}

extension JSONWriter {
    /// Threat entries as ECS has them: one list per property, references only when all have one.
    fileprivate mutating func entries(_ entries: [Threat.Entry]) {
        member("id", entries.map(\.id))
        member("name", entries.map(\.name))
        let references = entries.compactMap(\.reference)
        if references.count == entries.count { member("reference", references) }
    }
}
