import EQL
import TestSupport
import Testing

/// The yardstick itself is held to the specs.
@Suite struct NaiveSpecTests {
    @Test func specsCanBeRead() throws {
        let cases = try SpecFiles.all.get()
        #expect(cases.count >= 100)
        #expect(Set(cases.map { $0.file + $0.name }).count == cases.count, "two cases of one name")
    }

    /// A case is named after the trap it springs.
    @Test(arguments: 1...42)
    func everyTrapHasACase(number: Int) {
        #expect(SpecFiles.cases.contains { $0.name.hasPrefix("trap \(number):") })
    }

    @Test(arguments: SpecFiles.cases)
    func naiveEngineMeetsSpec(_ spec: SpecCase) throws {
        let result = parse(SourceText(spec.query))
        if case .refused = spec.expectation { return }
        let query = try #require(result.query, "\(spec): \(result.diagnostics.map(\.message))")
        let failure = spec.failure(given: NaiveEngine().run(query, on: spec.events))
        #expect(failure == nil, "\(failure ?? "")")
    }
}
