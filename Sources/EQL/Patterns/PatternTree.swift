/// A regular language as a tree, simplified while it is built: `nothing` and `empty` survive only at the
/// root, `empty` also as the least count of a repetition.
///
/// Both wildcards and Lucene's expressions become such trees; ``language`` writes them for the matcher.
indirect enum PatternTree: Hashable, Sendable {
    /// The empty language, Lucene's `#`.
    case nothing
    /// The empty text.
    case empty
    case one(ScalarSet)
    case sequence([PatternTree])
    case choice([PatternTree])
    case repetition(PatternTree, atLeast: Int, atMost: Int?)

    /// Any text, of any length.
    static let anything = PatternTree.repetition(.one(.all), atLeast: 0, atMost: nil)

    static func text(_ text: some Sequence<Unicode.Scalar>, folded: Bool) -> PatternTree {
        sequencing(text.map { .one(folded ? ScalarSet($0).foldingASCII : ScalarSet($0)) })
    }

    static func set(_ set: ScalarSet) -> PatternTree { set.isEmpty ? .nothing : .one(set) }

    static func sequencing(_ parts: [PatternTree]) -> PatternTree {
        var flat: [PatternTree] = []
        for part in parts {
            switch part {
            case .nothing: return .nothing
            case .empty: continue
            case .sequence(let inner): flat += inner
            default:
                if part == anything, flat.last == anything { continue }
                flat.append(part)
            }
        }
        return flat.isEmpty ? .empty : flat.count == 1 ? flat[0] : .sequence(flat)
    }

    static func choosing(_ parts: [PatternTree]) -> PatternTree {
        var flat: [PatternTree] = []
        var acceptsEmpty = false
        for part in parts {
            switch part {
            case .nothing: continue
            case .empty: acceptsEmpty = true
            case .choice(let inner): flat += inner
            default: flat.append(part)
            }
        }
        guard !flat.isEmpty else { return acceptsEmpty ? .empty : .nothing }
        let choice = flat.count == 1 ? flat[0] : .choice(flat)
        return acceptsEmpty ? .repetition(choice, atLeast: 0, atMost: 1) : choice
    }

    /// A count whose upper limit is below the lower one accepts nothing, as in Lucene.
    static func repeating(_ tree: PatternTree, atLeast least: Int, atMost most: Int?) -> PatternTree {
        if let most, most < least { return .nothing }
        if most == 0 { return .empty }
        switch tree {
        case .nothing: return least == 0 ? .empty : .nothing
        case .empty: return .empty
        default: return least == 1 && most == 1 ? tree : .repetition(tree, atLeast: least, atMost: most)
        }
    }

    /// The whole value must belong to the tree's language.
    ///
    /// Text that may be anything at either end is left out with its anchor: the matcher then looks for the
    /// part that matters, which is also the part an alert should show.
    var language: PatternLanguage {
        var parts: [PatternTree] =
            switch self {
            case .nothing: []
            case .empty: []
            case .sequence(let parts): parts
            default: [self]
            }
        if self == .nothing { return .nothing }
        let isOpenAtStart = parts.first == .anything
        if isOpenAtStart { parts.removeFirst() }
        let isOpenAtEnd = parts.last == .anything
        if isOpenAtEnd { parts.removeLast() }
        if parts.isEmpty, isOpenAtStart || isOpenAtEnd { return .everything }
        // The only part is a choice: without its own group, the anchors would bind to its ends.
        let body =
            parts.count == 1 && isOpenAtStart && isOpenAtEnd
            ? parts[0].expression : parts.map(\.atom).joined()
        return .expression((isOpenAtStart ? "" : #"\A"#) + body + (isOpenAtEnd ? "" : #"\z"#))
    }

    private var expression: String {
        switch self {
        case .nothing, .empty: ""
        case .one(let set): set.expression
        case .sequence(let parts): parts.map(\.atom).joined()
        case .choice(let parts): parts.map(\.expression).joined(separator: "|")
        case .repetition(let tree, let least, let most): tree.repeatable + Self.quantifier(least, most)
        }
    }

    /// As part of a sequence.
    private var atom: String {
        if case .choice = self { return "(?:\(expression))" }
        return expression
    }

    /// As what a quantifier repeats.
    private var repeatable: String {
        if case .one = self { return expression }
        return "(?:\(expression))"
    }

    private static func quantifier(_ least: Int, _ most: Int?) -> String {
        switch (least, most) {
        case (0, nil): "*"
        case (1, nil): "+"
        case (0, 1): "?"
        case (_, nil): "{\(least),}"
        case (_, least): "{\(least)}"
        case (_, let most?): "{\(least),\(most)}"
        }
    }
}
