import EventSchema
import Testing

@testable import EQL

@Suite("Printer")
struct PrinterRoundTripTests {
    @Test("what is printed parses to the same tree", arguments: 0..<40 as Range<UInt64>)
    func roundTrip(seed: UInt64) {
        var random = RandomQueries(seed: seed)
        for _ in 0..<50 {
            let query = random.query()
            let text = query.description
            let result = parse(SourceText(text))
            #expect(result.diagnostics == [], "\(text)")
            #expect(result.query?.withoutSpans == query, "\(text)")
        }
    }

    @Test("spans cover the text of their parts")
    func spans() throws {
        let source = SourceText("process where (a + 1) * 2 == length(b) and not c : (\"x\", \"y\") | head 3")
        let query = try #require(parse(source).query)
        guard case .event(let event) = query.form, case .and(let left, let right) = event.condition.kind,
            case .comparison(_, let product, let call) = left.kind, case .not(let pattern) = right.kind,
            case .arithmetic(_, let sum, _) = product.kind
        else {
            Issue.record("another tree: \(query)")
            return
        }
        #expect(source[query.span] == source.text)
        #expect(source[event.span] == "process where (a + 1) * 2 == length(b) and not c : (\"x\", \"y\")")
        #expect(source[product.span] == "(a + 1) * 2")
        #expect(source[sum.span] == "(a + 1)")
        #expect(source[call.span] == "length(b)")
        #expect(source[right.span] == "not c : (\"x\", \"y\")")
        #expect(source[pattern.span] == "c : (\"x\", \"y\")")
        #expect(source[query.pipes[0].span] == "| head 3")
    }

    @Test("a tree that leans to one side prints without recursion")
    func leaning() {
        let term = Expression(.field(FieldReference(path: "a", span: Span(0, 0))), at: Span(0, 0))
        let chain = (1..<3_000).reduce(term) { chain, _ in Expression(.or(chain, term), at: Span(0, 0)) }
        #expect(chain.description.utf8.count == 3_000 + 2_999 * 4)
    }
}
