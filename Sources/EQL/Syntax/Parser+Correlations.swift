extension Parser {
    // MARK: sequence and sample

    mutating func parseSequence() throws(Abandoned) -> SequenceQuery {
        try expect(.sequence)
        let (keys, maxspan) = try parseHead()
        var terms: [Term] = []
        var isBroken = false
        while at(.leftBracket) || at(.missing) {
            if let term = parseTermOrSkip() { terms.append(term) } else { isBroken = true }
        }
        var until: Term?
        if take(.until) {
            guard at(.leftBracket) else { throw expected("'[' after 'until'") }
            until = parseTermOrSkip()
            if let until, until.runs > 1 { report("'until' cannot have runs", at: until.span) }
            isBroken = isBroken || until == nil
        }
        if isBroken { throw Abandoned() }
        if terms.isEmpty { throw expected("'[' and the first term of the sequence") }
        return SequenceQuery(keys: keys, maxspan: maxspan, terms: terms, until: until)
    }

    mutating func parseSample() throws(Abandoned) -> SampleQuery {
        try expect(.sample)
        let (keys, maxspan) = try parseHead()
        var terms: [Term] = []
        var isBroken = false
        while at(.leftBracket) || at(.missing) {
            guard let term = parseTermOrSkip() else {
                isBroken = true
                continue
            }
            if term.isMissing { report("a sample cannot ask for a missing event", at: term.span) }
            if term.runs > 1 { report("a term of a sample cannot have runs", at: term.span) }
            terms.append(term)
        }
        if at(.until) { throw fail("a sample cannot have 'until'") }
        if isBroken { throw Abandoned() }
        if terms.isEmpty { throw expected("'[' and the first term of the sample") }
        return SampleQuery(keys: keys, maxspan: maxspan, terms: terms)
    }

    /// `by keys` and `with maxspan=…`, in this order.
    private mutating func parseHead() throws(Abandoned) -> (keys: [FieldReference], maxspan: Timespan?) {
        var keys: [FieldReference] = []
        if take(.by) { keys = try parseKeys() }
        guard take(.with) else { return (keys, nil) }
        let maxspan = try parseMaxspan()
        if at(.by) { throw fail("'by' stands before 'with'", hint: "write: by … with maxspan=…") }
        return (keys, maxspan)
    }

    private mutating func parseKeys() throws(Abandoned) -> [FieldReference] {
        var keys: [FieldReference] = []
        repeat {
            guard let key = try parseField() else { throw expected("a field name") }
            keys.append(key)
        } while take(.comma)
        return keys
    }

    private mutating func parseMaxspan() throws(Abandoned) -> Timespan {
        try expect(.maxspan)
        try expect(.assign)
        let start = token.span.lower
        let hint = "a whole number and a unit: 500ms, 30s, 5m, 1h or 2d"
        guard case .integer(let count) = token.kind else { throw expected("a length of time", hint: hint) }
        advance()
        guard case .name(let name) = token.kind, token.isAdjacent else {
            throw fail("this length of time has no unit", at: span(from: start), hint: hint)
        }
        guard let unit = Timespan.Unit(rawValue: name) else {
            throw fail("'\(name)' is no unit of time", hint: hint)
        }
        advance()
        let span = span(from: start)
        guard count > 0 else { throw fail("maxspan must be longer than nothing", at: span) }
        guard !count.multipliedReportingOverflow(by: unit.nanoseconds).overflow else {
            throw fail("maxspan is longer than 292 years", at: span)
        }
        return Timespan(count: count, unit: unit, span: span)
    }

    // MARK: Terms

    /// A term; nil after an error in it, with everything up to its end skipped.
    private mutating func parseTermOrSkip() -> Term? {
        do throws(Abandoned) {
            return try parseTerm()
        } catch {
            skip(to: [.rightBracket])
            _ = take(.rightBracket)
            return nil
        }
    }

    /// `[category where condition] by keys with runs=n`, or `![…]`.
    private mutating func parseTerm() throws(Abandoned) -> Term {
        let start = token.span.lower
        let isMissing = at(.missing)
        advance()
        let query = try parseEventQuery()
        guard take(.rightBracket) else { throw expected("']' at the end of the term") }
        var keys: [FieldReference] = []
        if take(.by) { keys = try parseKeys() }
        var runs = 1
        if at(.with) {
            let runsStart = token.span.lower
            advance()
            runs = try parseRuns(from: runsStart)
            if isMissing { throw fail("a missing event cannot have runs", at: span(from: runsStart)) }
            if at(.by) { throw fail("'by' stands before 'with'", hint: "write: […] by … with runs=…") }
        }
        return Term(query: query, keys: keys, runs: runs, isMissing: isMissing, span: span(from: start))
    }

    private mutating func parseRuns(from start: Int) throws(Abandoned) -> Int {
        guard token.kind == .name("runs") else {
            throw expected("'runs' after 'with'", hint: "for example: with runs=3")
        }
        advance()
        try expect(.assign)
        guard case .integer(let count) = token.kind else { throw expected("a whole number") }
        advance()
        guard (1...100).contains(count) else {
            throw fail("runs is from 1 to 100, not \(count)", at: span(from: start))
        }
        return Int(count)
    }
}
