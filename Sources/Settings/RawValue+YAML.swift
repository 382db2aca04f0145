import Yams

extension RawValue {
    /// The document in `text`; nil, with its problem reported, when it is not YAML. An empty document is `null`.
    static func document(_ text: String, file: String, problems: inout Problems) -> RawValue? {
        let whole = Place.file(file, line: nil, column: nil)
        func place(_ mark: Mark) -> Place { .file(file, line: mark.line, column: mark.column) }
        do {
            guard let root = try Yams.compose(yaml: text) else { return RawValue(content: .null, place: whole) }
            return RawValue(root, file: file)
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                problems.report("not YAML: \(problem)", at: place(mark))
            case .duplicatedKeysInMapping(let keys, let context):
                let names = keys.map { "\"\($0)\"" }.joined(separator: ", ")
                problems.report("\(names) is given more than once here; keep one", at: place(context.mark))
            case .reader(let problem, _, _, _):
                problems.report("not YAML: \(problem); save the file as UTF-8", at: whole)
            default:
                problems.report("not YAML: \(error)", at: whole)
            }
        } catch {
            problems.report("not YAML: \(error)", at: whole)
        }
        return nil
    }

    private init(_ node: Node, file: String) {
        place = .file(file, line: node.mark?.line, column: node.mark?.column)
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            content = isPlain && ["", "~", "null"].contains(scalar.string) ? .null : .text(scalar.string)
        case .sequence(let items):
            content = .list(items.map { RawValue($0, file: file) })
        case .mapping(let pairs):
            content = .map(
                pairs.map { key, value in
                    let mark = key.mark
                    return Entry(
                        key: key.scalar?.string ?? "", place: .file(file, line: mark?.line, column: mark?.column),
                        value: RawValue(value, file: file))
                })
        case .alias:
            // The composer has put the anchored node in the alias's place; this case serves emitting only.
            content = .null
        }
    }
}
