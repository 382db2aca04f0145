import EventSchema
import Events
import Rules

/// One alert in the `elastic-signal` profile: a document as Elastic Security 8 keeps in `.alerts-security.alerts-*`.
///
/// Field names: Elastic's alert schema. As there, names of `kibana.*` are written with dots, the fields of the source
/// event are at the root, and its `event` is under `kibana.alert.original_event`. What only Kibana can know is left out:
/// `kibana.alert.rule.execution`, users, and the space, which is `default`. A correlation is one alert, with all of its
/// events among the ancestors and under `apus.evidence`.
struct ElasticSignal {
    let content: AlertContent

    /// Of the alert schema.
    static let version = "8.17.0"
    /// Members of the source event that would say something else in an alert.
    private static let reserved = ["@timestamp", "apus", "ecs", "event", "kibana", "signal"]
    private static let maximumOmittedNames = 50

    private var finding: Finding { content.finding }
    private var rule: Rule { content.finding.rule }

    func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { alert in
            if let last = finding.evidence.map(\.timestamp).max() {
                alert.member("@timestamp", last.description)
            }
            alert.key("ecs")
            alert.object { $0.member("version", ECSAlert.version) }
            alert.member("kibana.version", Self.version)
            alert.member("kibana.space_ids", ["default"])
            writeEvent(&alert)
            writeAlert(&alert)
            writeRule(&alert)
            let omitted = writeSource(&alert)
            content.writeApus(&alert, omitted: omitted)
        }
        return writer.bytes
    }

    private func writeEvent(_ alert: inout JSONWriter) {
        alert.key("event")
        alert.object { event in
            event.member("kind", "signal")
            for name in ["category", "type", "action", "code", "dataset", "module", "outcome", "provider"] {
                let values = content.keyOriginal?.texts(of: "event.\(name)") ?? []
                if !values.isEmpty { event.member(name, values) }
            }
        }
    }

    // MARK: kibana.alert

    private func writeAlert(_ alert: inout JSONWriter) {
        let id = content.id.description
        alert.member("kibana.alert.uuid", id)
        alert.member("kibana.alert.instance.id", id)
        alert.member("kibana.alert.status", "active")
        alert.member("kibana.alert.workflow_status", "open")
        alert.member("kibana.alert.depth", 1)
        alert.member("kibana.alert.reason", content.reason)
        alert.member("kibana.alert.severity", rule.severity.rawValue)
        alert.key("kibana.alert.risk_score")
        alert.double(rule.riskScore)
        let times = finding.evidence.map(\.timestamp)
        if let first = times.min(), let last = times.max() {
            alert.member("kibana.alert.start", (content.created ?? last).description)
            alert.member("kibana.alert.original_time", (finding.keyEvidence?.timestamp ?? first).description)
        }
        if rule.isBuildingBlock { alert.member("kibana.alert.building_block_type", "default") }
        if finding.evidence.count > 1 { alert.member("kibana.alert.group.id", id) }
        if let suppression = finding.suppression {
            alert.key("kibana.alert.suppression")
            alert.object { content.write(suppression, to: &$0) }
        }
        alert.key("kibana.alert.ancestors")
        alert.array { list in
            for evidence in finding.evidence {
                let topic = content.encoder.topicName(evidence.origin.topic)
                list.object { ancestor in
                    ancestor.member("id", "\(topic)-\(evidence.origin.partition)-\(evidence.origin.offset)")
                    ancestor.member("type", "event")
                    ancestor.member("index", topic)
                    ancestor.member("depth", 0)
                }
            }
        }
    }

    // MARK: kibana.alert.rule

    private func writeRule(_ alert: inout JSONWriter) {
        func member(_ name: String, _ value: String) { alert.member("kibana.alert.rule.\(name)", value) }
        func member(_ name: String, _ values: [String]) {
            if !values.isEmpty { alert.member("kibana.alert.rule.\(name)", values) }
        }
        member("category", "Event Correlation Rule")
        member("consumer", "siem")
        member("producer", "siem")
        member("rule_type_id", "siem.eqlRule")
        member("type", "eql")
        member("uuid", rule.id)
        member("rule_id", rule.id)
        member("name", rule.name)
        member("description", rule.description)
        member("severity", rule.severity.rawValue)
        alert.key("kibana.alert.rule.risk_score")
        alert.double(rule.riskScore)
        alert.member("kibana.alert.rule.version", rule.version ?? 1)
        member("author", rule.author)
        if let license = rule.license { member("license", license) }
        member("tags", rule.tags)
        member("references", rule.references)
        member("false_positives", rule.falsePositives)
        if let note = rule.note { member("note", note) }
        if rule.isBuildingBlock { member("building_block_type", "default") }
        alert.key("kibana.alert.rule.parameters")
        alert.object { parameters in
            parameters.member("rule_id", rule.id)
            parameters.member("description", rule.description)
            parameters.member("severity", rule.severity.rawValue)
            parameters.key("risk_score")
            parameters.double(rule.riskScore)
            parameters.member("type", "eql")
            parameters.member("language", "eql")
        }
        guard !rule.threats.isEmpty else { return }
        alert.key("kibana.alert.rule.threat")
        alert.array { list in
            for threat in rule.threats { list.object { write(threat, to: &$0) } }
        }
    }

    private func write(_ threat: Threat, to writer: inout JSONWriter) {
        writer.member("framework", threat.framework)
        writer.key("tactic")
        writer.object { $0.entry(threat.tactic) }
        writer.key("technique")
        writer.array { list in
            for technique in threat.techniques {
                list.object { writer in
                    writer.entry(technique.entry)
                    writer.key("subtechnique")
                    writer.array { list in
                        for subtechnique in technique.subtechniques { list.object { $0.entry(subtechnique) } }
                    }
                }
            }
        }
    }

    // MARK: The source event

    /// Copies the members of the key step's event, as far as the limits allow; returns the names of the others.
    private func writeSource(_ alert: inout JSONWriter) -> [String] {
        guard let original = content.keyOriginal else { return [] }
        let limits = content.encoder.limits
        var omitted: [String] = []
        var room = limits.original
        func copy(_ member: OriginalEvent.Member, as name: String, to alert: inout JSONWriter) {
            guard member.value.count <= min(limits.member, room) else {
                if omitted.count < Self.maximumOmittedNames, member.name.utf8.count <= 256 {
                    omitted.append(member.name)
                }
                return
            }
            room -= member.value.count
            alert.key(name)
            alert.json(original.bytes[member.value])
        }
        for member in original.members(of: "event") {
            copy(member, as: "kibana.alert.original_\(member.name)", to: &alert)
        }
        for member in original.members where !Self.isReserved(member.name) { copy(member, as: member.name, to: &alert) }
        return omitted
    }

    private static func isReserved(_ name: String) -> Bool {
        name.hasPrefix("_") || reserved.contains { name == $0 || name.hasPrefix($0 + ".") }
    }
}

extension JSONWriter {
    fileprivate mutating func entry(_ entry: Threat.Entry) {
        member("id", entry.id)
        member("name", entry.name)
        if let reference = entry.reference { member("reference", reference) }
    }
}
