extension Linter {
    /// `until` clears the slots of its key after the stages have run: an event that fills a stage and matches
    /// `until` as well undoes what it did, unless it completed the sequence.
    mutating func lintUntil(of sequence: SequenceQuery, _ plan: SequencePlan) {
        guard let term = sequence.until, let until = plan.until else { return }
        lint(term.query)
        if until.condition == .constant(false) {
            warn("this `until` can never fire", at: term.span, hint: "Leave it out")
            return
        }
        let fatal = plan.stages.dropLast().firstIndex { stage in
            stage.keys == until.keys && until.condition.conjuncts.isSubset(of: stage.condition.conjuncts)
        }
        guard let fatal else { return }
        warn(
            "every event of stage \(fatal + 1) matches this `until` too, and ends the sequence it takes part in",
            at: term.span, hint: "The sequence can never be complete; make `until` narrower")
    }
}

extension Condition {
    /// The parts that must all hold.
    fileprivate var conjuncts: Set<Condition> {
        switch self {
        case .all(let parts): Set(parts)
        case .constant(true): []
        case .constant(false), .test, .expression, .not, .any: [self]
        }
    }
}
