import Detection
import EQL
import Testing

/// All that is wrong with a query is said at once, whichever step finds it.
@Suite struct QueryReaderTests {
    @Test(arguments: [
        // A slip of syntax hides no error of meaning beside it.
        (#"any where a = 1 and f regex "a&b" and lenght(f) > 3"#, [13, 31, 39]),
        (#"any where f like 5 or cidrMatch(source.ip, "x") or process.pid"#, [18, 44, 52]),
        (#"sequence by k [any where f regex "~a"] [any wher true] [any where process.pid like "a"]"#, [35, 45, 67]),
        (#"any where match(f, "a") and g )"#, [11, 31]),
        // What stands in the place of a broken part is not blamed.
        ("any where length(==) > 3 and not (a == )", [18, 40]),
        ("sequence [any where a == ] by k [any where true] by k", [26]),
        ("any where", [10]),
    ])
    func findsErrorsOfEveryKind(text: String, columns: [Int]) {
        let source = SourceText(text)
        let result = QueryReader(.bounded).read(source)
        #expect(result.query == nil)
        let errors = result.diagnostics.filter { $0.severity == .error }
        #expect(errors.map { source.position(of: $0.span.lower).column } == columns, "\(errors.map(\.message))")
    }

    @Test(arguments: [
        (#"any where f regex "a&b""#, RegexMode.elastic, "regex: intersection `&`"),
        (#"any where f regex "~a""#, .elastic, "regex: complement `~`"),
        (#"any where f regex "(?=a)b""#, .search, "regex: look-ahead"),
        (#"any where string(f) regex "(a)\\1""#, .elastic, "regex"),
    ])
    func namesTheConstructItRefuses(text: String, mode: RegexMode, construct: String) {
        let result = QueryReader(.bounded, options: CheckOptions(regexMode: mode)).read(SourceText(text))
        #expect(result.query == nil)
        let refused = result.diagnostics.compactMap(\.refused)
        #expect(refused.count == 1 && refused.allSatisfy { $0.hasPrefix(construct) }, "\(result.diagnostics)")
    }

    @Test func aMistakeIsNoRefusal() {
        let result = QueryReader(.bounded).read(SourceText(#"any where f regex "(a" and g = 1"#))
        #expect(result.query == nil && result.diagnostics.allSatisfy { $0.refused == nil })
    }
}
