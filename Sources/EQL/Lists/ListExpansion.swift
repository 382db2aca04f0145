public import EventSchema

/// Puts the values of lists in the place of calls of `inList`, so that what follows knows nothing of lists:
/// `inList(user.name, "admins")` becomes `user.name in~ ("…", …)`, and of a list of addresses `cidrMatch(…)`.
///
/// - Returns: the query without such calls, and what is wrong with them; then those calls hold for nothing.
public func expandLists(
    in query: Query, _ lists: [String: ValueList], schema: Schema = .ecs
) -> (query: Query, diagnostics: [Diagnostic]) {
    guard case .event(var event) = query.form else { return (query, []) }
    var expansion = ListExpansion(lists: lists, schema: schema)
    event.condition = expansion.expand(event.condition)
    return (Query(form: .event(event), pipes: query.pipes, span: query.span), expansion.diagnostics)
}

private struct ListExpansion {
    static let functionName = "inList"

    let lists: [String: ValueList]
    let schema: Schema
    private(set) var diagnostics: [Diagnostic] = []

    mutating func expand(_ expression: Expression) -> Expression {
        let kind: Expression.Kind =
            switch expression.kind {
            case .literal, .field, .pattern: expression.kind
            case .negative(let operand): .negative(expand(operand))
            case .not(let operand): .not(expand(operand))
            case .arithmetic(let operation, let left, let right): .arithmetic(operation, expand(left), expand(right))
            case .comparison(let operation, let left, let right): .comparison(operation, expand(left), expand(right))
            case .and(let left, let right): .and(expand(left), expand(right))
            case .or(let left, let right): .or(expand(left), expand(right))
            case .membership(let subject, let values, let caseInsensitive, let negated):
                .membership(
                    expand(subject), values.map { expand($0) }, caseInsensitive: caseInsensitive, negated: negated)
            case .call(let call): expand(call, at: expression.span)
            }
        return Expression(kind, at: expression.span)
    }

    private mutating func expand(_ call: Expression.Call, at span: Span) -> Expression.Kind {
        guard ASCII.lowercased(call.name) == ASCII.lowercased(Self.functionName) else {
            var call = call
            call.arguments = call.arguments.map { expand($0) }
            return .call(call)
        }
        guard let (field, list) = arguments(of: call, at: span) else { return .literal(.boolean(false)) }
        let subject = Expression(.field(field), at: field.span)
        let values = list.values.map { Expression(.literal(.string($0)), at: span) }
        if values.isEmpty { return .literal(.boolean(false)) }
        return switch list.kind {
        case .names, .hashes: .membership(subject, values, caseInsensitive: true, negated: false)
        case .cidr:
            .call(
                Expression.Call(
                    name: "cidrMatch", caseInsensitive: false, arguments: [subject] + values, nameSpan: call.nameSpan))
        }
    }

    /// The field and the list of a call; nil after saying what is wrong with it.
    private mutating func arguments(of call: Expression.Call, at span: Span) -> (FieldReference, ValueList)? {
        let usage = "Write `\(Self.functionName)(user.name, \"name of a list\")`"
        if call.caseInsensitive {
            refuse("there is no `\(Self.functionName)~`: lists ignore case as they are", at: call.nameSpan, usage)
            return nil
        }
        guard call.arguments.count == 2 else {
            refuse("`\(Self.functionName)` takes 2 arguments, not \(call.arguments.count)", at: span, usage)
            return nil
        }
        guard case .field(let field) = call.arguments[0].kind else {
            refuse("`\(Self.functionName)` compares a field", at: call.arguments[0].span, usage)
            return nil
        }
        guard case .literal(.string(let name)) = call.arguments[1].kind else {
            refuse("the name of a list is a string", at: call.arguments[1].span, usage)
            return nil
        }
        guard let list = lists[name] else {
            refuse("there is no list \"\(name)\"", at: call.arguments[1].span, hint(for: name))
            return nil
        }
        let type = schema.type(of: field.path)
        guard type.fits(list.kind) else {
            refuse(
                "`\(field.path)` is a \(type.name) field and is never one of the \(list.kind.rawValue) of \"\(name)\"",
                at: field.span, "The list is of kind \(list.kind.rawValue)")
            return nil
        }
        return (field, list)
    }

    private func hint(for name: String) -> String {
        let near = lists.keys.map { ($0, editDistance(Array(name.utf8), Array($0.utf8))) }
            .filter { $0.1 <= max(1, name.utf8.count / 3) }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }
        if let near { return "Did you mean \"\(near.0)\"?" }
        return lists.isEmpty
            ? "Declare it with [[list]]" : "The lists are \(lists.keys.sorted().joined(separator: ", "))"
    }

    private mutating func refuse(_ message: String, at span: Span, _ hint: String) {
        diagnostics.append(.error(message, at: span, hint: hint))
    }
}

extension FieldType {
    fileprivate func fits(_ kind: ValueList.Kind) -> Bool {
        switch kind {
        case .names, .hashes: takesPatterns && self != .ip && self != .version
        case .cidr: self == .ip || self == .dynamic
        }
    }
}
