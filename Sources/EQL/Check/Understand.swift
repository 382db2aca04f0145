/// Reads and checks the text of a query: the one call for whoever only wants its meaning.
///
/// A query that does not parse is not checked, so its diagnostics are the parser's alone.
public func understand(_ text: String, options: CheckOptions = CheckOptions()) -> CheckResult {
    let source = SourceText(text)
    let parsed = parse(source)
    guard let query = parsed.query, !parsed.diagnostics.contains(where: { $0.severity == .error }) else {
        return CheckResult(query: nil, diagnostics: parsed.diagnostics)
    }
    var result = check(query, source: source, options: options)
    result.diagnostics = parsed.diagnostics + result.diagnostics
    return result
}
