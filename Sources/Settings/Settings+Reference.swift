/// One setting as its reference shows it.
public struct SettingReference: Sendable, Hashable, Encodable {
    /// `kafka.brokers`
    public let path: String
    /// The environment variable that sets it; of a map, what the variables of its entries begin with.
    public let variable: String
    /// What it takes.
    public let type: String
    /// As it is written in a settings file; nil for one that has to be given.
    public let defaultValue: String?
    /// Of one that has to be given.
    public let example: String?
    /// Sentences.
    public let documentation: String
}

extension Settings {
    /// What a part of the reference is about.
    public struct ReferenceSection: Sendable, Hashable, Encodable {
        /// `kafka`; nil for settings of no section.
        public let name: String?
        public let title: String
        public let settings: [SettingReference]
    }

    /// Every setting there is, in the order of the settings file.
    public static var referenceSections: [ReferenceSection] {
        let defaults = Settings()
        var order: [String?] = []
        var members: [String?: [SettingReference]] = [:]
        for declaration in declarations {
            let section = declaration.section.map(String.init)
            if members[section] == nil { order.append(section) }
            members[section, default: []].append(
                SettingReference(
                    path: declaration.path, variable: declaration.variable + (declaration.isMap ? "_…" : ""),
                    type: declaration.type,
                    defaultValue: declaration.isRequired ? nil : declaration.written(defaults).flow,
                    example: declaration.example, documentation: declaration.documentation))
        }
        return order.map { name in
            ReferenceSection(
                name: name, title: name.flatMap { sections[$0] } ?? "At the top of the file",
                settings: members[name] ?? [])
        }
    }

    /// The reference as Markdown; `ops/configuration.md` is this text.
    public static func markdownReference() -> String {
        var text = """
            # Settings of `apus run`

            Every setting, from the table that the program reads them by (`apus config reference`). `config/apus.yaml` is the \
            same as a file to begin with. A setting given in several places is taken from the last of these: the settings \
            file (`--config`, `APUS_CONFIG`), the environment, `--set PATH=VALUE`.

            """
        for section in referenceSections {
            text += "\n## \(section.name.map { "`\($0)`: " } ?? "")\(section.title)\n"
            for setting in section.settings {
                let value =
                    setting.defaultValue.map { "default `\($0)`" }
                    ?? "required" + (setting.example.map { ", such as `\($0)`" } ?? "")
                text += """

                    ### `\(setting.path)`

                    \(setting.documentation)

                    Takes: \(setting.type); \(value). Environment: `\(setting.variable)`.

                    """
            }
        }
        return text
    }
}
