import EQL

/// The gates of a program's conditions with all their alternatives, in the form that choosing among them reads.
///
/// A tree stands as its nodes one behind the other, every node before its parent, so that costs go up in one pass
/// and choices come down in another.
struct GatePlan: BitwiseCopyable {
    struct Node: BitwiseCopyable {
        enum Kind: UInt8, BitwiseCopyable {
            case test
            case oneOf
            case allOf
        }

        var kind: Kind
        /// Of a test.
        var bit: Int32
        var group: Int32
        /// Counted from the first node of the tree; that of the root is -1.
        var parent: Int32
    }

    let nodes: Table<Node>
    /// The nodes of each tree; the root is the last one.
    let trees: Table<IndexRange>
    /// The condition of each tree.
    let conditions: Table<Int32>
    /// Groups that have a test in some tree.
    let groups: Table<Int32>
    /// Per group, the trees with a test of it.
    let treesOfGroup: ListTable
    /// Per bit of the bit set, the share of events expected to pass while nothing has been measured.
    let estimates: Table<Float>
    /// Per group, what looking at an event's values costs, in visits of a condition.
    let costs: Table<Float>
    let longestTree: Int
    let testCount: Int
    /// Whether some condition has more than one gate to choose from.
    let hasChoices: Bool

    /// - Parameters:
    ///   - gates: of the conditions that have one, with their ids.
    ///   - costs: one for each group.
    init(
        _ gates: [(condition: Int32, gate: Gate)], predicates: [FieldTest: MatchProgram.Predicate], wordCount: Int,
        costs: [Float], in arena: Arena
    ) {
        var nodes: [Node] = []
        var trees: [IndexRange] = []
        var estimates = [Float](repeating: 0, count: wordCount * 64)
        var treesOfGroup = [[Int32]](repeating: [], count: costs.count)
        for (index, (_, gate)) in gates.enumerated() {
            let first = nodes.count
            Self.append(gate, from: first, predicates, to: &nodes, &estimates)
            trees.append(IndexRange(lower: Int32(first), upper: Int32(nodes.count)))
            for node in nodes[first...] where node.kind == .test {
                if treesOfGroup[Int(node.group)].last != Int32(index) {
                    treesOfGroup[Int(node.group)].append(Int32(index))
                }
            }
        }
        self.nodes = arena.freeze(nodes)
        self.trees = arena.freeze(trees)
        conditions = arena.freeze(gates.map(\.condition))
        groups = arena.freeze(costs.indices.filter { !treesOfGroup[$0].isEmpty }.map { Int32($0) })
        self.treesOfGroup = ListTable(treesOfGroup, in: arena)
        self.estimates = arena.freeze(estimates)
        self.costs = arena.freeze(costs)
        longestTree = trees.map { Int($0.upper - $0.lower) }.max() ?? 0
        testCount = nodes.count { $0.kind == .test }
        hasChoices = nodes.contains { $0.kind == .oneOf }
    }

    private static func append(
        _ gate: Gate, from first: Int, _ predicates: [FieldTest: MatchProgram.Predicate], to nodes: inout [Node],
        _ estimates: inout [Float]
    ) {
        let kind: Node.Kind
        let parts: [Gate]
        switch gate {
        case .test(let test):
            guard let predicate = predicates[test] else { preconditionFailure("every test is a predicate") }
            estimates[Int(predicate.bit)] = test.estimatedShare
            nodes.append(Node(kind: .test, bit: predicate.bit, group: predicate.group, parent: -1))
            return
        case .oneOf(let gates): (kind, parts) = (.oneOf, gates)
        case .allOf(let gates): (kind, parts) = (.allOf, gates)
        }
        var children: [Int] = []
        for part in parts {
            append(part, from: first, predicates, to: &nodes, &estimates)
            children.append(nodes.count - 1)
        }
        for child in children { nodes[child].parent = Int32(nodes.count - first) }
        nodes.append(Node(kind: kind, bit: -1, group: -1, parent: -1))
    }
}
