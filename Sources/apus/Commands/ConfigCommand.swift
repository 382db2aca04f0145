import ArgumentParser
import Foundation
import Settings

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Explains the settings, and shows them as apus run understands them.",
        discussion: """
            Settings come from a file in YAML (--config, or APUS_CONFIG), then the environment (kafka.brokers is \
            APUS_KAFKA_BROKERS), then --set kafka.brokers=…; the last one wins. Everything that is wrong is reported at \
            once. A secret stands elsewhere: file:/run/secrets/kafka takes a file's content, env:NAME a variable's; what \
            is shown is the reference, never the secret.

            Required are kafka.brokers, input.topics, and rules.paths or rules.topic.

            Examples:
              apus config reference
              apus config reference --search timeout
              apus config show --config config/apus.yaml
              apus config show --output json | jq '.[] | select(.origin != null)'
            """,
        subcommands: [ConfigReference.self, ConfigShow.self])
}

struct ConfigReference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference", abstract: "Every setting: what it is for, what it takes, its default.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, yaml, markdown, json
    }

    @Option(help: "How to write it: text, yaml (a settings file to begin with), markdown or json.")
    var format: Format = .text

    @Option(help: "With text or json: only settings with this in their name or explanation.")
    var search: String?

    func run() throws {
        let found = Settings.referenceSections.flatMap(\.settings).filter { setting in
            search.map {
                (setting.path + " " + setting.documentation).localizedCaseInsensitiveContains($0)
            } ?? true
        }
        switch format {
        case .yaml: Console.write(Settings.reference())
        case .markdown: Console.write(Settings.markdownReference())
        case .json: Console.print(found.jsonLine)
        case .text: for setting in found { Console.print(setting.text) }
        }
        if found.isEmpty { throw ExitStatus.negative.code }
    }
}

struct ConfigShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "The settings as they are understood, secrets masked, and where each comes from.",
        discussion: """
            As text they are a settings file again. With --output json they are a list of path, value and origin; \
            durations and sizes are texts with their units, and the origin of a default is missing.

            Exit code 78 if they are not valid, after everything that is wrong with them.
            """)

    @OptionGroup var options: SettingsOptions

    @Option(help: "How to write them: text or json.")
    var output: OutputFormat = .text

    func run() throws {
        let settings = try options.load()
        Console.print(output == .json ? settings.shown.jsonLine : settings.rendered())
    }
}

extension SettingReference {
    /// For a terminal.
    fileprivate var text: String {
        let value = defaultValue.map { "default \($0)" } ?? "required, such as \(example ?? "")"
        let lines = documentation.wrapped(at: 96).map { "    \($0)" }
        return ([TerminalText.bold(path)] + lines + [TerminalText.dim("    \(type); \(value); \(variable)"), ""])
            .joined(separator: "\n")
    }
}

extension String {
    /// Lines of at most `width` characters, broken at blanks.
    func wrapped(at width: Int) -> [String] {
        var lines: [String] = []
        for word in split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
