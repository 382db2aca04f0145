import EventSchema
import Events
import Rules

/// One alert in the `ocsf` profile: a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework 1.4.
///
/// Names and numbers: the OCSF schema. Each contributing record is one entry of `evidences`, with what its event says
/// in terms of OCSF, and as `data` the place of the record, what matched and the original. What OCSF has no attribute
/// for is under `unmapped.apus`. A finding of a shadow rule is not an alert: `is_alert` is false.
struct OCSFFinding {
    let content: AlertContent

    static let version = "1.4.0"

    private var finding: Finding { content.finding }
    private var rule: Rule { content.finding.rule }

    func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { event in
            writeClass(&event)
            writeTimes(&event)
            let (severityID, severity) = rule.severity.ocsf
            event.member("severity_id", severityID)
            event.member("severity", severity)
            event.member("status_id", 1)
            event.member("status", "New")
            event.key("is_alert")
            event.boolean(rule.stage == .active)
            event.member("risk_score", Int(rule.riskScore.rounded()))
            event.member("message", content.message)
            writeMetadata(&event)
            writeFindingInfo(&event)
            writeDevice(&event)
            event.key("evidences")
            event.array { list in
                for (index, evidence) in finding.evidence.enumerated() {
                    list.object { write(evidence, index, to: &$0) }
                }
            }
            writeObservables(&event)
            event.key("unmapped")
            event.object { unmapped in
                unmapped.member("reason", content.reason)
                content.writeApus(&unmapped, omitted: [], withEvidence: false)
            }
        }
        return writer.bytes
    }

    private func writeClass(_ event: inout JSONWriter) {
        event.member("category_uid", 2)
        event.member("category_name", "Findings")
        event.member("class_uid", 2004)
        event.member("class_name", "Detection Finding")
        event.member("activity_id", 1)
        event.member("activity_name", "Create")
        event.member("type_uid", 200_401)
        event.member("type_name", "Detection Finding: Create")
    }

    /// The span of event time, and when the finding was made: with its last event, unless the caller says when.
    private var times: (first: EventTime, last: EventTime, created: EventTime)? {
        let times = finding.evidence.map(\.timestamp)
        guard let first = times.min(), let last = times.max() else { return nil }
        return (first, last, content.created ?? last)
    }

    private func writeTimes(_ event: inout JSONWriter) {
        guard let times else { return }
        event.member("time", times.created)
        event.member("start_time", times.first)
        event.member("end_time", times.last)
    }

    private func writeMetadata(_ event: inout JSONWriter) {
        event.key("metadata")
        event.object { metadata in
            metadata.member("version", Self.version)
            metadata.member("uid", content.id.description)
            metadata.member("profiles", ["host"])
            metadata.key("product")
            metadata.object { product in
                product.member("name", "Apus")
                product.member("vendor_name", "Apus")
                product.member("version", content.encoder.engineVersion)
            }
        }
    }

    // MARK: finding_info

    private func writeFindingInfo(_ event: inout JSONWriter) {
        event.key("finding_info")
        event.object { info in
            info.member("uid", content.id.description)
            info.member("title", rule.name)
            info.member("desc", rule.description)
            if let times {
                info.member("created_time", times.created)
                info.member("first_seen_time", times.first)
                info.member("last_seen_time", times.last)
            }
            info.key("analytic")
            info.object { analytic in
                analytic.member("uid", rule.id)
                analytic.member("name", rule.name)
                analytic.member("type_id", 1)
                analytic.member("type", "Rule")
                if let version = rule.version { analytic.member("version", String(version)) }
            }
            var topics: [String] = []
            for evidence in finding.evidence {
                let topic = content.encoder.topicName(evidence.origin.topic)
                if !topics.contains(topic) { topics.append(topic) }
            }
            info.member("data_sources", topics)
            info.member("related_events_count", finding.evidence.count)
            let attacks = rule.threats.flatMap(Self.attacks)
            guard !attacks.isEmpty else { return }
            info.key("attacks")
            info.array { list in
                for attack in attacks { list.object { attack.write(to: &$0) } }
            }
        }
    }

    /// OCSF has one entry for each tactic and technique.
    private static func attacks(_ threat: Threat) -> [Attack] {
        // Techniques of other frameworks have no place in `attacks`.
        guard threat.framework == "MITRE ATT&CK" else { return [] }
        guard !threat.techniques.isEmpty else { return [Attack(tactic: threat.tactic)] }
        return threat.techniques.flatMap { technique in
            technique.subtechniques.isEmpty
                ? [Attack(tactic: threat.tactic, technique: technique.entry)]
                : technique.subtechniques.map {
                    Attack(tactic: threat.tactic, technique: technique.entry, subtechnique: $0)
                }
        }
    }

    private struct Attack {
        var tactic: Threat.Entry
        var technique: Threat.Entry?
        var subtechnique: Threat.Entry?

        func write(to attack: inout JSONWriter) {
            let parts = [("tactic", tactic), ("technique", technique), ("sub_technique", subtechnique)]
            for (name, entry) in parts {
                guard let entry else { continue }
                attack.key(name)
                attack.object { writer in
                    writer.member("uid", entry.id)
                    writer.member("name", entry.name)
                    if let reference = entry.reference { writer.member("src_url", reference) }
                }
            }
        }
    }

    // MARK: device, evidences, observables

    private func writeDevice(_ event: inout JSONWriter) {
        event.key("device")
        event.object { device in
            writeDevice(content.keyOriginal, uid: finding.hostKey?.value, to: &device)
        }
    }

    private func writeDevice(_ original: OriginalEvent?, uid: String?, to device: inout JSONWriter) {
        // Nothing says what kind of device it is.
        device.member("type_id", 0)
        device.member("type", "Unknown")
        device.text("hostname", original, ["host.name", "host.hostname"])
        if let uid { device.member("uid", uid) }
        device.text("ip", original, ["host.ip"])
    }

    private func write(_ evidence: Evidence, _ index: Int, to writer: inout JSONWriter) {
        let topic = content.encoder.topicName(evidence.origin.topic)
        writer.member("uid", "\(topic)-\(evidence.origin.partition)-\(evidence.origin.offset)")
        writer.member("name", "stage \(evidence.stage + 1)")
        if let original = content.readable[index] {
            if Self.hasAny(["process.name", "process.executable", "process.command_line"], original) {
                writer.key("process")
                writer.object { Self.writeProcess(original, to: &$0) }
            }
            if Self.hasAny(["user.name", "user.id"], original) {
                writer.key("actor")
                writer.object { actor in
                    actor.key("user")
                    actor.object { user in
                        user.text("name", original, ["user.name"])
                        user.text("uid", original, ["user.id"])
                        user.text("domain", original, ["user.domain"])
                    }
                }
            }
            for (name, prefix) in [("src_endpoint", "source"), ("dst_endpoint", "destination")]
            where Self.hasAny(["\(prefix).ip", "\(prefix).domain", "\(prefix).address"], original) {
                writer.key(name)
                writer.object { endpoint in
                    endpoint.text("ip", original, ["\(prefix).ip"])
                    endpoint.text("hostname", original, ["\(prefix).domain", "\(prefix).address"])
                    endpoint.number("port", original, "\(prefix).port")
                }
            }
            if Self.hasAny(["host.name", "host.hostname"], original) {
                writer.key("device")
                writer.object { writeDevice(original, uid: evidence.hostKey?.value, to: &$0) }
            }
        }
        writer.key("data")
        content.write(evidence, original: content.originals[index], to: &writer)
    }

    private static func writeProcess(_ original: OriginalEvent, to process: inout JSONWriter) {
        process.text("name", original, ["process.name"])
        process.number("pid", original, "process.pid")
        process.text("uid", original, ["process.entity_id"])
        process.text("cmd_line", original, ["process.command_line"])
        if let path = original.texts(of: "process.executable").first(where: { !$0.isEmpty }) {
            process.key("file")
            process.object { file in
                let name = path.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? path
                file.member("name", Excerpt(of: Array(name.utf8)[...], limit: 1_024).text)
                file.text("path", original, ["process.executable"])
                file.member("type_id", 1)
            }
        }
        guard hasAny(["process.parent.name", "process.parent.command_line"], original) else { return }
        process.key("parent_process")
        process.object { parent in
            parent.text("name", original, ["process.parent.name"])
            parent.number("pid", original, "process.parent.pid")
            parent.text("cmd_line", original, ["process.parent.command_line"])
        }
    }

    private func writeObservables(_ event: inout JSONWriter) {
        let kinds: [(name: String, type: String, id: Int, paths: [String])] = [
            ("device.hostname", "Hostname", 1, ["host.name", "host.hostname"]),
            ("device.ip", "IP Address", 2, ["host.ip"]),
            ("evidences.src_endpoint.ip", "IP Address", 2, ["source.ip"]),
            ("evidences.dst_endpoint.ip", "IP Address", 2, ["destination.ip"]),
            ("evidences.actor.user.name", "User Name", 4, ["user.name"]),
            ("evidences.process.name", "Process Name", 9, ["process.name"]),
        ]
        let observables = kinds.flatMap { kind in
            content.gather(kind.paths).prefix(20).map { (kind, Excerpt(of: Array($0.utf8)[...], limit: 1_024).text) }
        }
        guard !observables.isEmpty else { return }
        event.key("observables")
        event.array { list in
            for (kind, value) in observables {
                list.object { observable in
                    observable.member("name", kind.name)
                    observable.member("type", kind.type)
                    observable.member("type_id", kind.id)
                    observable.member("value", value)
                }
            }
        }
    }

    private static func hasAny(_ paths: [String], _ original: OriginalEvent) -> Bool {
        paths.contains { original.texts(of: $0).contains { !$0.isEmpty } }
    }
}

extension Rule.Severity {
    /// `severity_id` and its caption.
    fileprivate var ocsf: (Int, String) {
        switch self {
        case .low: (2, "Low")
        case .medium: (3, "Medium")
        case .high: (4, "High")
        case .critical: (5, "Critical")
        }
    }
}

extension JSONWriter {
    /// OCSF's instants are milliseconds.
    fileprivate mutating func member(_ name: String, _ time: EventTime) {
        key(name)
        integer(time.milliseconds)
    }

    /// The first text of the first field that has one, no longer than an attribute should be.
    fileprivate mutating func text(_ name: String, _ original: OriginalEvent?, _ paths: [String]) {
        guard let original,
            let text = paths.lazy.flatMap({ original.texts(of: $0) }).first(where: { !$0.isEmpty })
        else { return }
        member(name, Excerpt(of: Array(text.utf8)[...], limit: 8_192).text)
    }

    fileprivate mutating func number(_ name: String, _ original: OriginalEvent, _ path: String) {
        guard let number = original.number(of: path) else { return }
        key(name)
        integer(number)
    }
}
