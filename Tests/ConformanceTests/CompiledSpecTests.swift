import Detection
import EQL
import TestSupport
import Testing

/// The specs on the engine that runs.
@Suite struct CompiledSpecTests {
    /// What this version refuses, by the words of its diagnostic, and the cases that need it.
    private static let refused: [(reason: String, cases: Set<String>)] = [
        ("intersection `&`", ["Lucene: any string, intersection, complement"]),
    ]

    private static func reason(_ spec: SpecCase) -> String? {
        refused.first { $0.cases.contains(spec.name) }?.reason
    }

    @Test(arguments: SpecFiles.cases.filter { reason($0) == nil })
    func compiledEngineMeetsSpec(_ spec: SpecCase) throws {
        let result = QueryReader(.bounded).read(SourceText(spec.query))
        let errors = result.diagnostics.filter { $0.severity == .error }.map(\.message)
        if case .refused(let text) = spec.expectation {
            #expect(result.query == nil && errors.contains { $0.contains(text) }, "\(spec): \(errors)")
            return
        }
        let query = try #require(result.query, "\(spec): \(errors)")
        let failure = spec.failure(given: try CompiledEngine.run([query], on: spec.events)[0])
        #expect(failure == nil, "\(failure ?? "")")
    }

    /// A case leaves the list when its construct is supported, and not before.
    @Test(arguments: SpecFiles.cases.filter { reason($0) != nil })
    func refusedConstructIsStillRefused(_ spec: SpecCase) throws {
        let reason = try #require(Self.reason(spec))
        let result = QueryReader(.bounded).read(SourceText(spec.query))
        let errors = result.diagnostics.filter { $0.severity == .error }.map(\.message)
        #expect(result.query == nil, "\(spec) is supported now: take it off the list")
        #expect(errors.contains { $0.contains(reason) }, "\(spec): \(errors)")
    }

    @Test func everyRefusedCaseExists() {
        let names = Set(SpecFiles.cases.map(\.name))
        for name in Self.refused.flatMap(\.cases) { #expect(names.contains(name), "no case is called \(name)") }
    }
}
