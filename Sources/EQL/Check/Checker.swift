import EventSchema

/// Checks a query and says what it means; all errors of a query are found at once.
///
/// With `source`, diagnostics about a pattern point into its literal, else at the whole literal.
public func check(_ query: Query, source: SourceText? = nil, options: CheckOptions = CheckOptions()) -> CheckResult {
    var checker = Checker(options: options, source: source)
    let form = checker.check(query.form, at: query.span)
    let diagnostics = checker.diagnostics.enumerated()
        .sorted { ($0.element.span.lower, $0.offset) < ($1.element.span.lower, $1.offset) }
        .map(\.element)
    guard let form, !checker.hasErrors else { return CheckResult(query: nil, diagnostics: diagnostics) }
    return CheckResult(query: CheckedQuery(form: form, pipes: query.pipes), diagnostics: diagnostics)
}

/// What is wrong with the conditions of a text that could not be read as a whole, beside what the parser said.
///
/// Only errors, and only in parts that the parser read: how the parts fit together is not asked.
public func checkConditions(
    of parsed: ParseResult, source: SourceText, options: CheckOptions = CheckOptions()
) -> [Diagnostic] {
    guard let query = parsed.recovered else { return [] }
    var checker = Checker(options: options, source: source)
    for condition in query.form.eventQueries.map(\.condition) { _ = checker.lower(condition) }
    let known = parsed.diagnostics.map(\.span)
    return checker.diagnostics.filter { diagnostic in
        diagnostic.severity == .error
            && !known.contains { $0.lower <= diagnostic.span.upper && diagnostic.span.lower <= $0.upper }
    }
}

extension Query.Form {
    fileprivate var eventQueries: [EventQuery] {
        switch self {
        case .event(let query): [query]
        case .sequence(let query): query.terms.map(\.query) + (query.until.map { [$0.query] } ?? [])
        case .sample(let query): query.terms.map(\.query)
        }
    }
}

/// One walk over one query. Functions that lower a part return nil when they have reported an error.
struct Checker {
    let options: CheckOptions
    let source: SourceText?
    private(set) var diagnostics: [Diagnostic] = []
    private var knownFields: Set<FieldPath> = []

    init(options: CheckOptions, source: SourceText?) {
        self.options = options
        self.source = source
    }

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    mutating func error(_ message: String, at span: Span, hint: String? = nil, refused: String? = nil) {
        diagnostics.append(.error(message, at: span, hint: hint, refused: refused))
    }

    mutating func warn(_ message: String, at span: Span, hint: String? = nil) {
        diagnostics.append(.warning(message, at: span, hint: hint))
    }

    /// The type of a field; the first use of a name that looks misspelt is reported.
    mutating func type(of field: FieldReference) -> FieldType {
        if knownFields.insert(field.path).inserted, let nearest = options.schema.nearest(to: field.path) {
            warn("`\(field.path)` is not an ECS field", at: field.span, hint: "Did you mean `\(nearest)`?")
        }
        return options.schema.type(of: field.path)
    }
}

// MARK: - Forms

extension Checker {
    mutating func check(_ form: Query.Form, at span: Span) -> CheckedQuery.Form? {
        switch form {
        case .event(let query): lower(query).map { .event($0) }
        case .sequence(let query): check(query, at: span).map { .sequence($0) }
        case .sample(let query): check(query, at: span).map { .sample($0) }
        }
    }

    /// Category and condition together.
    mutating func lower(_ query: EventQuery) -> Condition? {
        guard let verdict = lower(query.condition) else { return nil }
        var condition = verdict.condition.normalised
        if case .named(let category, _) = query.category {
            let field = options.eventCategoryField
            let type = options.schema.type(of: field)
            var values = FieldTest.ValueSet()
            _ = values.insert(.string(category), as: type)
            condition =
                Condition.all([
                    .test(FieldTest(field: field, type: type, test: .equals(values))), condition,
                ]).normalised
        }
        return condition
    }

    private mutating func check(_ query: SequenceQuery, at span: Span) -> SequencePlan? {
        let missing = query.terms.first(where: \.isMissing)
        if query.maxspan == nil {
            if let missing {
                error(
                    "an event that must be missing needs `maxspan`: without it the wait for it has no end",
                    at: missing.span, hint: "Write `sequence with maxspan=5m`")
            } else {
                warn(
                    "this sequence has no `maxspan`: on a stream it lasts as long as its rule looks back (`from`)",
                    at: span, hint: "Add `with maxspan=5m` or as long as the behaviour may take")
            }
        }
        if let missing, query.terms.allSatisfy(\.isMissing) {
            error("a sequence needs an event that happens, not only missing ones", at: missing.span)
        }
        var stages: [Stage] = []
        var gaps: [SequencePlan.Gap] = []
        var isComplete = true
        for term in query.terms {
            guard let stage = stage(of: term, header: query.keys) else {
                isComplete = false
                continue
            }
            if term.isMissing {
                let gap = SequencePlan.Gap(position: stages.count, stage: stage)
                gaps += repeatElement(gap, count: max(term.runs, 1))
            } else {
                stages += repeatElement(stage, count: max(term.runs, 1))
            }
        }
        var until: Stage?
        if let term = query.until {
            if term.runs != 1 { error("`until` takes no `runs`", at: term.span) }
            until = stage(of: term, header: query.keys)
        }
        checkKeys(of: query.terms + (query.until.map { [$0] } ?? []), header: query.keys)
        guard isComplete, query.until == nil || until != nil else { return nil }
        guard hasTwoStages(stages.count + gaps.count, form: "sequence", at: span) else { return nil }
        return SequencePlan(stages: stages, gaps: gaps, until: until, maxspan: query.maxspan?.nanoseconds)
    }

    private mutating func check(_ query: SampleQuery, at span: Span) -> SamplePlan? {
        for term in query.terms {
            if term.runs != 1 { error("a sample takes no `runs`", at: term.span) }
            if term.isMissing { error("a sample takes no missing event", at: term.span, hint: "Use a sequence") }
        }
        let stages = query.terms.compactMap { stage(of: $0, header: query.keys) }
        checkKeys(of: query.terms, header: query.keys)
        if let term = query.terms.first, query.keys.isEmpty, term.keys.isEmpty {
            error("a sample needs join keys", at: term.span, hint: "Write `sample by host.id`")
        }
        guard stages.count == query.terms.count, hasTwoStages(stages.count, form: "sample", at: span) else {
            return nil
        }
        return SamplePlan(stages: stages, maxspan: query.maxspan?.nanoseconds)
    }

    private mutating func hasTwoStages(_ count: Int, form: String, at span: Span) -> Bool {
        if count < 2 { error("a \(form) needs at least two stages", at: span) }
        return count >= 2
    }

    private mutating func stage(of term: Term, header: [FieldReference]) -> Stage? {
        guard let condition = lower(term.query) else { return nil }
        return Stage(
            condition: condition,
            keys: (header + term.keys).map { JoinKey(path: $0.path, isOptional: $0.isOptional) })
    }

    /// Every term brings the same number of keys, and keys in one place can be equal.
    private mutating func checkKeys(of terms: [Term], header: [FieldReference]) {
        for key in header { _ = type(of: key) }
        guard let first = terms.first else { return }
        for term in terms {
            if term.keys.count != first.keys.count {
                error(
                    "this stage has \(header.count + term.keys.count) join keys, the first stage has "
                        + "\(header.count + first.keys.count)",
                    at: term.span, hint: "Give every stage, and `until`, the same number of keys")
                continue
            }
            for (key, other) in zip(term.keys, first.keys) {
                let (kind, wanted) = (type(of: key).joinKind, type(of: other).joinKind)
                if let kind, let wanted, kind != wanted {
                    error(
                        "`\(key.path)` (\(kind)) can never equal `\(other.path)` (\(wanted)) of the first stage",
                        at: key.span, hint: "Join fields of one type")
                }
            }
        }
    }
}
