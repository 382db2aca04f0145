/// The field types rules are checked and events decoded against.
public struct Schema: Sendable {
    /// ECS 8, the fields Elastic's widespread integrations add to it, and the fields Apus derives.
    public static let ecs = Schema(table: FieldTable(parsing: ecsFields + integrationFields))

    private let table: FieldTable

    init(table: FieldTable) {
        self.table = table
    }

    /// The type of `path`; `dynamic` where the schema does not know it.
    public func type(of path: FieldPath) -> FieldType { table.type(of: path) ?? .dynamic }

    /// Whether ECS, a known integration or Apus (`apus.*`) defines `path`, by itself or as part of a subtree.
    public func defines(_ path: FieldPath) -> Bool { table.type(of: path) != nil }

    /// Every field defined by its own name, in no particular order.
    public var paths: some Collection<FieldPath> { table.types.keys.lazy.map { FieldPath($0) } }

    /// The defined field whose name `path` most likely misspells; nil when `path` is defined or nothing is near.
    ///
    /// Cost: one edit distance per defined field of similar length; for diagnostics, not for events.
    public func nearest(to path: FieldPath) -> FieldPath? {
        guard !defines(path) else { return nil }
        let wanted = Array(ASCII.lowercased(path.dotted).utf8)
        var limit = max(1, min(4, wanted.count / 4))
        var best: String?
        for candidate in table.types.keys where abs(candidate.utf8.count - wanted.count) <= limit {
            let distance = editDistance(wanted, Array(ASCII.lowercased(candidate).utf8))
            guard distance <= limit else { continue }
            if distance < limit || best.map({ candidate < $0 }) ?? true {
                limit = distance
                best = candidate
            }
        }
        return best.map { FieldPath($0) }
    }
}
