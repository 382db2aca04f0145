import Foundation
import Rules

/// What a person wants to know of an alert at first, whatever its profile.
struct AlertSummary: Encodable, Hashable {
    var id: String?
    var time: String?
    var severity: String?
    var ruleID: String?
    var rule: String?
    var host: String?
    var user: String?
    var reason: String?

    /// - Parameter value: a record of an alert topic; nil when it is not a JSON object.
    init?(_ value: [UInt8], headers: [String: String] = [:]) {
        guard let alert = (try? JSONSerialization.jsonObject(with: Data(value))) as? [String: Any] else { return nil }
        func text(_ paths: String...) -> String? {
            for path in paths {
                switch Self.value(at: path[...], in: alert) {
                case let text as String: return text
                case let list as [Any]: if let first = list.first as? String { return first }
                default: continue
                }
            }
            return nil
        }
        id = headers["apus-alert-id"] ?? text("event.id", "kibana.alert.uuid", "finding_info.uid")
        time = text("@timestamp", "time_dt") ?? Self.time(alert["time"])
        ruleID = headers["apus-rule-id"] ?? text("rule.id", "kibana.alert.rule.rule_id", "finding_info.analytic.uid")
        rule = text("rule.name", "kibana.alert.rule.name", "finding_info.title")
        host = text("host.name", "device.hostname", "apus.host_key", "device.uid", "device.name")
        user = text("user.name", "evidences.actor.user.name", "actor.user.name")
        reason = text("event.reason", "kibana.alert.reason", "message")
        let number = (Self.value(at: "event.severity", in: alert) as? NSNumber)?.intValue
        severity =
            number.flatMap { number in Rule.Severity.allCases.first { $0.number == number }?.rawValue }
            ?? text("kibana.alert.severity", "severity")?.lowercased()
    }

    /// Nested and dotted names mean the same.
    private static func value(at path: Substring, in object: [String: Any]) -> Any? {
        if let value = object[String(path)] { return value }
        var dots = path.indices.filter { path[$0] == "." }[...]
        while let dot = dots.popLast() {
            let rest = path[path.index(after: dot)...]
            let inner = object[String(path[..<dot])]
            if let inner = inner as? [String: Any], let value = value(at: rest, in: inner) { return value }
            if let inner = (inner as? [Any])?.first as? [String: Any], let value = value(at: rest, in: inner) {
                return value
            }
        }
        return nil
    }

    /// OCSF counts milliseconds.
    private static func time(_ value: Any?) -> String? {
        (value as? NSNumber).map {
            Date(timeIntervalSince1970: $0.doubleValue / 1000)
                .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        }
    }

    /// One line for a terminal. Nothing of an alert reaches it as a control sequence.
    var line: String {
        let place = [host, user].compactMap(\.self).joined(separator: " ")
        let name = TerminalText.padded((severity ?? "-").visible, to: 8)
        return [
            TerminalText.dim((time ?? "-").visible), TerminalText.severity(name, of: severity),
            TerminalText.bold((rule ?? ruleID ?? "-").visible), place.visible, (reason ?? "").visible,
            TerminalText.dim(String((id ?? "").prefix(12)).visible),
        ].filter { !$0.isEmpty }.joined(separator: "  ")
    }
}

/// Which alerts a command means; all of them must hold.
struct AlertFilter {
    /// Ids, or parts of names.
    var rules: [String] = []
    /// This one and those above.
    var severity: Rule.Severity?
    /// Parts of names or host keys.
    var hosts: [String] = []

    func holds(_ alert: AlertSummary) -> Bool {
        if let severity {
            guard let own = alert.severity.flatMap({ Rule.Severity(rawValue: $0) }), own.number >= severity.number
            else { return false }
        }
        return
            (rules.isEmpty
            || rules.contains { Self.contains(alert.ruleID, $0) || Self.contains(alert.rule, $0) })
            && (hosts.isEmpty || hosts.contains { Self.contains(alert.host, $0) })
    }

    private static func contains(_ text: String?, _ part: String) -> Bool {
        text?.localizedCaseInsensitiveContains(part) ?? false
    }
}
