import EventSchema

/// The rules of one load, in the order of their ids; never changes.
public struct RuleSet: Sendable {
    /// Ascending by the UTF-8 bytes of the id.
    public let rules: [Rule]
    /// SHA-256 over the content hash, the stage and the suppression of each rule in order, as 64 lower-case hexadecimal digits:
    /// two processes with equal hashes raise the same alerts.
    public let hash: String

    /// Of rules with equal ids the first is kept.
    public init(_ rules: [Rule]) {
        var seen: Set<String> = []
        self.rules = rules.filter { seen.insert($0.id).inserted }
            .sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
        var digest = PartDigest()
        digest.add("apus-rule-set-1")
        for rule in self.rules {
            digest.add(rule.contentHash)
            digest.add(rule.stage.rawValue)
            if let suppression = rule.suppression { digest.add(suppression) }
        }
        hash = digest.finish()
    }

    /// The same over the exceptions too: what they leave out is not the same set's alerts any more.
    public func hash(with exceptions: ExceptionSet) -> String {
        guard !exceptions.isEmpty else { return hash }
        var digest = PartDigest()
        digest.add("apus-tuned-rule-set-1")
        digest.add(hash)
        digest.add(exceptions.hash)
        return digest.finish()
    }

    public subscript(id: String) -> Rule? { rules.first { $0.id == id } }

    public var isEmpty: Bool { rules.isEmpty }
}

extension PartDigest {
    fileprivate mutating func add(_ suppression: Rule.Suppression) {
        add("suppression")
        for field in suppression.fields { add(field.dotted) }
        add(suppression.stage.map { String($0) })
        add(String(suppression.window))
        add(String(suppression.includesMissing))
    }
}
