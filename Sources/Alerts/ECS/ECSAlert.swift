import EventSchema
import Rules

/// One alert in the `ecs` profile.
///
/// Field names and allowed values: the ECS 8.17 field reference. `rule.*`, `threat.*` and `related.*` are as
/// there; what ECS has no field for is under `apus.*`.
struct ECSAlert {
    let content: AlertContent

    static let version = "8.17.0"

    private var finding: Finding { content.finding }
    private var rule: Rule { content.finding.rule }

    func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { alert in
            if let last = finding.evidence.map(\.timestamp).max() {
                alert.member("@timestamp", last.description)
            }
            alert.key("ecs")
            alert.object { $0.member("version", Self.version) }
            alert.member("message", content.message)
            writeEvent(&alert)
            writeRule(&alert)
            writeThreats(&alert)
            if !rule.tags.isEmpty { alert.member("tags", rule.tags) }
            writeRelated(&alert)
            let omitted = writeKeyStep(&alert)
            content.writeApus(&alert, omitted: omitted)
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
            event.member("id", content.id.description)
            event.member("severity", rule.severity.number)
            event.key("risk_score")
            event.double(rule.riskScore)
            event.member("reason", content.reason)
            let times = finding.evidence.map(\.timestamp)
            if let first = times.min(), let last = times.max() {
                event.member("start", first.description)
                event.member("end", last.description)
            }
            if let created = content.created { event.member("created", created.description) }
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
        ].map { name, paths in (name, content.gather(paths)) }
        guard related.contains(where: { !$0.1.isEmpty }) else { return }
        alert.key("related")
        alert.object { writer in
            for (name, values) in related where !values.isEmpty { writer.member(name, values) }
        }
    }

    /// Copies the objects an analyst looks for first; returns the names of those too large to copy.
    private func writeKeyStep(_ alert: inout JSONWriter) -> [String] {
        guard let original = content.keyOriginal else { return [] }
        var omitted: [String] = []
        for member in ["host", "user", "process", "source", "destination"].flatMap(original.members) {
            guard member.value.count <= content.encoder.limits.member else {
                omitted.append(member.name)
                continue
            }
            alert.key(member.name)
            alert.json(original.bytes[member.value])
        }
        return omitted
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
