extension Parser {
    // MARK: sequence and sample

    mutating func parseSequence() throws(Abandoned) -> SequenceQuery {
        try expect(.sequence)
        let (keys, maxspan) = try parseHead()
        let terms = parseTerms()
        if terms.isEmpty { throw expected("'[' and the first term of the sequence") }
        let until = try parseUntil()
        if let until, until.isMissing { report("'until' takes no missing event", at: until.span, hint: "remove the !") }
        return SequenceQuery(keys: keys, maxspan: maxspan, terms: terms, until: until)
    }

    mutating func parseSample() throws(Abandoned) -> SampleQuery {
        try expect(.sample)
        let (keys, maxspan) = try parseHead()
        let terms = parseTerms()
        if terms.isEmpty { throw expected("'[' and the first term of the sample") }
        for term in terms where term.isMissing {
            report("a sample takes no missing event", at: term.span, hint: "use a sequence")
        }
        let place = token.span
        if try parseUntil() != nil { report("a sample takes no 'until'", at: place, hint: "use a sequence") }
        return SampleQuery(keys: keys, maxspan: maxspan, terms: terms)
    }

    /// `by keys` and `with maxspan=…`, in this order.
    private mutating func parseHead() throws(Abandoned) -> (keys: [FieldReference], maxspan: Timespan?) {
        var keys = take(.by) ? try parseKeys() : []
        let maxspan = take(.with) ? try parseMaxspan() : nil
        if at(.by) {
            report("'by' stands before 'with'", at: token.span, hint: "write: by … with maxspan=…")
            advance()
            keys = try parseKeys()
        }
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
        guard case .name(let name) = token.kind else {
            throw fail("this length of time has no unit", at: span(from: start), hint: "write \(count)s for seconds")
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

    private mutating func parseTerms() -> [Term] {
        var terms: [Term] = []
        while at(.leftBracket) || at(.missing) { terms.append(parseTerm()) }
        return terms
    }

    private mutating func parseUntil() throws(Abandoned) -> Term? {
        guard take(.until) else { return nil }
        guard at(.leftBracket) || at(.missing) else { throw expected("'[' after 'until'") }
        return parseTerm()
    }

    /// A term; after an error in it, all up to the next term is skipped.
    private mutating func parseTerm() -> Term {
        let start = token.span.lower
        do throws(Abandoned) {
            return try parseWholeTerm()
        } catch {
            skip { $0.at(.leftBracket) || $0.at(.missing) || $0.at(.until) || $0.at(.pipe) }
            let span = span(from: start)
            let query = EventQuery(category: .any, condition: Expression(.literal(.null), at: span), span: span)
            return Term(query: query, keys: [], span: span)
        }
    }

    /// `[category where condition] by keys with runs=n`, or `![…]`.
    private mutating func parseWholeTerm() throws(Abandoned) -> Term {
        let start = token.span.lower
        let isMissing = at(.missing)
        advance()
        let query = try parseEventQuery()
        if at(.pipe) {
            report("a term takes no pipes", at: token.span, hint: "put them behind the whole query")
            skip { $0.at(.rightBracket) || $0.at(.leftBracket) || $0.at(.missing) }
        }
        guard take(.rightBracket) else { throw expected("']' at the end of the term") }
        var keys: [FieldReference] = []
        if take(.by) { keys = try parseKeys() }
        var runs = 1
        if at(.with) {
            let runsStart = token.span.lower
            advance()
            runs = try parseRuns(from: runsStart)
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
