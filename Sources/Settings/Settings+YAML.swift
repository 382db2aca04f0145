extension Settings: CustomStringConvertible, CustomReflectable {
    /// The reference of all settings: a settings file that holds every one, explained, with its default.
    /// `config/apus.yaml` is this text.
    public static func reference() -> String {
        let defaults = Settings()
        let introduction = """
            # Settings of apus run: every setting with what it takes and its default.
            # Those marked "required" have no default; the value shown is an example.
            #
            # The environment wins over this file: kafka.brokers is also APUS_KAFKA_BROKERS, and security.protocol
            # in kafka.properties is APUS_KAFKA_PROPERTIES_SECURITY_PROTOCOL. A flag wins over both:
            # --set kafka.brokers=localhost:9092. A list may be written as one text with commas.


            """
        return introduction
            + document { declaration in
                let value = declaration.example.map { " \($0)" } ?? block(declaration.written(defaults))
                let requirement = declaration.isRequired ? "required: " : ""
                return (wrapped(declaration.documentation), "\(value)  # \(requirement)\(declaration.type)")
            }
    }

    /// The settings as a settings file that, but for masked secrets, reads back as the same settings. What was given
    /// tells where.
    public func rendered() -> String {
        Self.document { declaration in
            let comment = origins[declaration.path].map { ["from \($0)"] } ?? []
            return (comment, Self.block(declaration.written(self)))
        }
    }

    /// Every setting with its value, secrets masked, in the order of the settings file; for programs.
    public var shown: [ShownSetting] {
        Self.declarations.map {
            ShownSetting(path: $0.path, value: $0.written(self), origin: origins[$0.path]?.description)
        }
    }

    public var description: String { rendered() }
    /// No way around the masks.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// A file with every setting; `body` gives its comment and what follows its colon.
    private static func document(_ body: (Declaration) -> (comment: [String], value: String)) -> String {
        var text = ""
        var section: Substring?
        for declaration in declarations {
            if declaration.section == nil || declaration.section != section { text += "\n" }
            if let name = declaration.section, name != section {
                text += sections[String(name)].map { "# \($0).\n" } ?? ""
                text += "\(name):\n"
            }
            section = declaration.section
            let indent = section == nil ? "" : "  "
            let (comment, value) = body(declaration)
            for line in comment { text += "\(indent)# \(line)\n" }
            text += "\(indent)\(declaration.key):\(value.replacing("\n", with: "\n\(indent)"))\n"
        }
        return String(text.drop { $0 == "\n" })
    }

    /// What follows a key's colon: on the same line, or below it for a map with entries.
    private static func block(_ value: WrittenValue) -> String {
        guard case .map(let pairs) = value, !pairs.isEmpty else { return " \(value.flow)" }
        return pairs.map { "\n  \(WrittenValue.scalar($0.key).flow): \($0.value.flow)" }.joined()
    }

    /// `text` in lines of at most 110 characters, broken at blanks.
    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= 110 {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}

/// A setting as it is understood.
public struct ShownSetting: Sendable, Encodable {
    /// `kafka.brokers`
    public let path: String
    /// Text, a number, a truth value, a list or an object; null for none. A duration or a size is text with its unit.
    let value: WrittenValue
    /// Where it was given: `apus.yaml:3:12`, `environment variable APUS_…`, `--set …`; nil for a default.
    public let origin: String?
}
