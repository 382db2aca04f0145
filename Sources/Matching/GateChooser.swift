/// Chooses the gates of all conditions together, so that an event costs as little as can be expected.
///
/// A condition costs a visit for every event that passes its gate; a group of predicates costs what looking at its field
/// takes, for every event that has the field, however many conditions rely on it. Choosing the cheapest gates under
/// both is the facility location problem; this is its greedy answer: with every group in use each condition takes the
/// gate fewest events pass, and then every group goes that costs more than it saves: the dearest first, and of equally
/// dear ones those that save least.
///
/// A choice changes what an event costs and nothing else. Working memory of one matcher; choosing allocates nothing.
final class GateChooser {
    private let plan: GatePlan
    private let isClosed: UnsafeMutablePointer<Bool>
    /// The groups of the plan in the order in which it is tried to do without them.
    private let order: UnsafeMutablePointer<Int32>
    /// Per group, the visits per event that it saves when all others are in use.
    private let saved: UnsafeMutablePointer<Float>
    /// Per tree, in visits per event.
    private let treeCosts: UnsafeMutablePointer<Float>
    /// Of one tree at a time: per node, in visits per event, and which child an alternative has taken.
    private let nodeCosts: UnsafeMutablePointer<Float>
    private let taken: UnsafeMutablePointer<Int32>
    private let isNeeded: UnsafeMutablePointer<Bool>

    /// More than any sum of visits: a group without which a condition has no gate stays.
    private static let impossible: Float = 1e9

    init(_ plan: GatePlan) {
        self.plan = plan
        isClosed = .allocate(capacity: max(plan.costs.count, 1))
        order = .allocate(capacity: max(plan.groups.count, 1))
        saved = .allocate(capacity: max(plan.costs.count, 1))
        treeCosts = .allocate(capacity: max(plan.trees.count, 1))
        nodeCosts = .allocate(capacity: max(plan.longestTree, 1))
        taken = .allocate(capacity: max(plan.longestTree, 1))
        isNeeded = .allocate(capacity: max(plan.longestTree, 1))
    }

    deinit {
        isClosed.deallocate()
        order.deallocate()
        saved.deallocate()
        treeCosts.deallocate()
        nodeCosts.deallocate()
        taken.deallocate()
        isNeeded.deallocate()
    }

    /// Decides by the shares of events that pass each predicate and have each field.
    func choose(_ selectivity: Selectivity) {
        isClosed.initialize(repeating: false, count: plan.costs.count)
        for tree in 0..<plan.trees.count { treeCosts[tree] = cost(of: tree, selectivity) }
        for index in 0..<plan.groups.count {
            let group = plan.groups[index]
            saved[Int(group)] = saving(of: group, selectivity)
            insert(group, intoOrderOf: index)
        }
        for index in 0..<plan.groups.count {
            let group = order[index]
            let cost = plan.costs[Int(group)] * selectivity.shareWithField(of: group)
            guard saving(of: group, selectivity) < cost else { continue }
            isClosed[Int(group)] = true
            for tree in plan.treesOfGroup[Int(group)] { treeCosts[Int(tree)] = self.cost(of: Int(tree), selectivity) }
        }
    }

    /// How many more visits per event there would be without a group that is in use.
    private func saving(of group: Int32, _ selectivity: Selectivity) -> Float {
        isClosed[Int(group)] = true
        defer { isClosed[Int(group)] = false }
        var saving: Float = 0
        for tree in plan.treesOfGroup[Int(group)] {
            saving += cost(of: Int(tree), selectivity) - treeCosts[Int(tree)]
        }
        return saving
    }

    /// - Parameter count: how many groups the order has so far.
    private func insert(_ group: Int32, intoOrderOf count: Int) {
        var place = count
        while place > 0, isBefore(group, order[place - 1]) {
            order[place] = order[place - 1]
            place -= 1
        }
        order[place] = group
    }

    private func isBefore(_ one: Int32, _ other: Int32) -> Bool {
        (-plan.costs[Int(one)], saved[Int(one)]) < (-plan.costs[Int(other)], saved[Int(other)])
    }

    /// Calls `body` with every test that is to lead to a condition, and that condition.
    func eachChosenTest(
        _ selectivity: Selectivity, _ body: (_ test: GatePlan.Node, _ condition: Int32) -> Void
    ) {
        for tree in 0..<plan.trees.count {
            _ = cost(of: tree, selectivity)
            let nodes = plan.nodes[plan.trees[tree]]
            var node = nodes.count
            while node > 0 {
                node -= 1
                let parent = Int(nodes[node].parent)
                isNeeded[node] =
                    parent < 0
                    || isNeeded[parent] && (nodes[parent].kind == .allOf || Int(taken[parent]) == node)
                if isNeeded[node], nodes[node].kind == .test { body(nodes[node], plan.conditions[tree]) }
            }
        }
    }

    /// Of the cheapest gate, whose alternatives are noted in `taken`.
    private func cost(of tree: Int, _ selectivity: Selectivity) -> Float {
        let nodes = plan.nodes[plan.trees[tree]]
        for node in nodes.indices {
            nodeCosts[node] = nodes[node].kind == .oneOf ? .infinity : 0
            taken[node] = -1
        }
        for node in nodes.indices {
            if nodes[node].kind == .test {
                nodeCosts[node] =
                    isClosed[Int(nodes[node].group)] ? Self.impossible : selectivity.shareThatPasses(nodes[node].bit)
            }
            let parent = Int(nodes[node].parent)
            guard parent >= 0 else { continue }
            if nodes[parent].kind == .allOf {
                nodeCosts[parent] += nodeCosts[node]
            } else if nodeCosts[node] < nodeCosts[parent] {
                nodeCosts[parent] = nodeCosts[node]
                taken[parent] = Int32(node)
            }
        }
        return nodeCosts[nodes.count - 1]
    }
}
