import EventSchema
import Rules

/// What an alert says, whatever its profile lays it out like.
struct AlertContent {
    let finding: Finding
    let id: AlertID
    let created: EventTime?
    let encoder: AlertEncoder
    /// In evidence order; nil for one that is not a JSON object.
    let originals: [OriginalEvent?]
    /// The originals, or in ECS those that are not.
    let readable: [OriginalEvent?]

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

    // MARK: What the events say

    /// The distinct values of fields over all steps, in order of appearance.
    func gather(_ paths: [String]) -> [String] {
        var seen: Set<String> = []
        return readable.compactMap { $0 }.flatMap { original in paths.flatMap(original.texts) }
            .filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    var keyOriginal: OriginalEvent? {
        readable.indices.contains(finding.keyStep) ? readable[finding.keyStep] : readable.first ?? nil
    }

    // MARK: Words

    var message: String { finding.rule.name + scene }

    /// ` on HOST by USER`, as far as known.
    private var scene: String {
        let host = keyOriginal?.texts(of: "host.name").first ?? finding.hostKey?.value
        let user = keyOriginal?.texts(of: "user.name").first
        return (host.map { " on \($0)" } ?? "") + (user.map { " by \($0)" } ?? "")
    }

    /// The most telling condition of each step, then where.
    var reason: String {
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
