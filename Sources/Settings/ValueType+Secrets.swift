extension PropertyValue {
    /// The value that `text` is or refers to; nil after reporting why there is none. `name` is what it belongs to.
    static func read(_ text: String, of name: String, at place: Place, _ reading: inout Reading) -> PropertyValue? {
        switch SecretReference(text) {
        case .literal(let literal):
            return PropertyValue(literal: literal, of: name)
        case .environment(let variable):
            reading.referencedVariables.insert(variable)
            guard let value = reading.environment[variable] else {
                reading.problems.report(
                    "\(name) refers to the environment variable \(variable), which is not set", at: place)
                return nil
            }
            return PropertyValue(resolved: value, from: text)
        case .file(let path):
            do {
                return PropertyValue(resolved: withoutFinalLineBreak(try reading.readFile(path)), from: text)
            } catch {
                reading.problems.report(
                    "\(name) refers to the file \(path), which cannot be read: \(error)", at: place)
                return nil
            }
        }
    }

    /// Editors and `kubectl create secret` end a file with a line break; no secret ends with one.
    private static func withoutFinalLineBreak(_ text: String) -> String {
        guard let last = text.last, last.isNewline else { return text }
        return String(text.dropLast())
    }
}

extension ValueType where Value == PropertyValue? {
    /// A secret that may be missing, `file:` and `env:` references resolved; masked wherever it is shown.
    static func optionalSecret(_ name: String) -> ValueType {
        ValueType(
            description: "\(name), best as file:PATH or env:VARIABLE, or empty for none",
            read: { raw, reading in
                switch raw.content {
                case .null: return .some(nil)
                case .text(""): return .some(nil)
                case .text(let text):
                    guard let value = PropertyValue.read(text, of: name, at: raw.place, &reading) else { return nil }
                    guard !value.revealed.isEmpty else {
                        reading.problems.report("the \(name) is empty", at: raw.place)
                        return nil
                    }
                    return .some(value)
                case .list, .map:
                    reading.problems.report("\(raw.kind) where one value belongs: a \(name)", at: raw.place)
                    return nil
                }
            }, write: { .scalar($0?.description ?? "") })
    }
}
