import EventSchema

extension Checker {
    /// `:`, `like` and `regex` with one constant or a list, of which one must match.
    mutating func lowerPatterns(
        _ subject: Expression, _ operation: PatternOperator, _ patterns: [Expression], in whole: Expression
    ) -> Verdict? {
        guard case .field(let field) = subject.kind else { return leaf(whole) }
        let type = type(of: field)
        var verdicts: [Verdict] = []
        for pattern in patterns {
            if let verdict = lower(pattern, operation, against: field, type) { verdicts.append(verdict) }
        }
        return verdicts.count == patterns.count ? .any(verdicts) : nil
    }

    private mutating func lower(
        _ pattern: Expression, _ operation: PatternOperator, against field: FieldReference, _ type: FieldType
    ) -> Verdict? {
        guard let literal = pattern.constant, literal != .null else {
            error("`\(operation.rawValue)` needs a constant", at: pattern.span)
            return nil
        }
        guard case .string(let text) = literal else {
            guard operation == .colon else {
                error("`\(operation.rawValue)` needs a string", at: pattern.span)
                return nil
            }
            warnOfColon(before: pattern)
            return equality(of: field, type, with: [(literal, pattern.span)])
        }
        guard type.takesPatterns else {
            error(
                "`\(operation.rawValue)` needs a text field, and `\(field.path)` is a \(type.name) field",
                at: field.span, hint: "Use `==`, `in` or an order such as `>=`")
            return nil
        }
        if !operation.isRegex, !Wildcard.hasWildcards(text) {
            let literals = [(literal, pattern.span)]
            return operation.isInsensitive
                ? foldedEquality(of: field, type, with: literals) : equality(of: field, type, with: literals)
        }
        guard let read = read(text, operation, at: pattern, isField: true) else { return nil }
        return test(field, type, read.language, source: text, read.origin, pattern.span)
    }

    /// Behind `:` stands a number or a Boolean: Elasticsearch once took it for `==`, and now refuses it.
    mutating func warnOfColon(before constant: Expression) {
        warn(
            "Elasticsearch takes only text behind `:`", at: constant.span,
            hint: "Write `==` or `in`; here it means the same")
    }

    /// What a pattern means: on a field Lucene's syntax, on other values Java's.
    mutating func read(
        _ text: String, _ operation: PatternOperator, at literal: Expression, isField: Bool
    ) -> (language: PatternLanguage, origin: StringPattern.Origin)? {
        let folded = operation.isInsensitive
        guard operation.isRegex else {
            return (Wildcard.language(of: text, caseInsensitive: folded), .wildcard(caseInsensitive: folded))
        }
        do throws(PatternNote) {
            switch options.regexMode {
            case .elastic where isField:
                let translation = try LuceneRegex.translate(text, caseInsensitive: folded)
                for note in translation.warnings {
                    warn(note.message, at: place(of: note.range, in: literal), hint: note.hint)
                }
                return (translation.language, .lucene(caseInsensitive: folded))
            case .elastic:
                return (try JavaRegex.language(of: text, caseInsensitive: folded), .search(caseInsensitive: folded))
            case .search:
                return (try SearchRegex.language(of: text, caseInsensitive: folded), .search(caseInsensitive: folded))
            }
        } catch {
            self.error(
                error.message, at: place(of: error.range, in: literal), hint: error.hint, refused: error.refused)
            return nil
        }
    }

    mutating func test(
        _ field: FieldReference, _ type: FieldType, _ language: PatternLanguage, source: String,
        _ origin: StringPattern.Origin, _ span: Span
    ) -> Verdict {
        switch language {
        case .everything:
            warn(
                "this pattern matches every value", at: span,
                hint: "Write `\(field.path) != null` to ask whether there is one")
            return .condition(exists(field.path))
        case .nothing:
            warn("this pattern matches no value", at: span)
            return .test(FieldTest(field: field.path, type: type, test: .matches([])))
        case .expression(let expression):
            let pattern = StringPattern(expression: expression, source: source, origin: origin, span: span)
            return .test(FieldTest(field: field.path, type: type, test: .matches([pattern])))
        }
    }

    /// Where UTF-8 offsets of a literal's value stand in the source.
    private func place(of range: Range<Int>, in literal: Expression) -> Span {
        guard let offsets = source.flatMap({ StringLiteralPlaces(literal.span, in: $0) }),
            range.upperBound < offsets.count
        else { return literal.span }
        return Span(offsets[range.lowerBound], offsets[range.upperBound])
    }
}

/// For each UTF-8 offset of the value of a string literal, and its end, the offset in the source.
struct StringLiteralPlaces {
    private var places: [Int] = []

    var count: Int { places.count }

    subscript(offset: Int) -> Int { places[offset] }

    /// Nil when `span` holds no string literal.
    init?(_ span: Span, in source: SourceText) {
        guard span.lower >= 0, span.upper <= source.utf8.count, span.lower < span.upper else { return nil }
        let text = source.utf8[span.lower..<span.upper]
        let quotes = text.prefix { $0 == UInt8(ascii: "\"") }.count
        if quotes >= 3, text.count >= 6 {
            places = Array((span.lower + 3)...(span.upper - 3))
            return
        }
        guard quotes >= 1, text.count >= 2 else { return nil }
        var index = span.lower + 1
        while index < span.upper - 1 {
            guard text[index] == UInt8(ascii: "\\") else {
                places.append(index)
                index += 1
                continue
            }
            var end = index + 2
            var width = 1
            if end < span.upper, text[index + 1] == UInt8(ascii: "u") {
                end = (text[index...].firstIndex(of: UInt8(ascii: "}")) ?? span.upper - 2) + 1
                let digits = String(
                    decoding: text[(index + 2)..<end].filter { $0 != 0x7B && $0 != 0x7D }, as: UTF8.self)
                width = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init).map { UTF8.width($0) } ?? 1
            }
            places += repeatElement(index, count: width)
            index = end
        }
        places.append(span.upper - 1)
    }
}

extension PatternOperator {
    var isRegex: Bool { self == .regex || self == .regexInsensitive }

    var isInsensitive: Bool { self != .like && self != .regex }
}
