import ArgumentParser
import Foundation
import Settings

/// A manual page in the macros of man(7).
struct ManualPage {
    private(set) var text = ""

    init(_ root: CommandDump.Command, version: String) {
        text = """
            .TH APUS 1 "" "apus \(version)" "User Commands"
            .SH NAME
            apus \\- \(Self.escaped(root.abstract ?? ""))
            .SH SYNOPSIS
            .B apus
            .I command
            .RI [ options ]

            """
        let parts = (root.discussion ?? "").components(separatedBy: "EXIT CODES:")
        section("DESCRIPTION")
        paragraphs(parts[0])
        section("COMMANDS")
        for command in root.subcommands ?? [] where command.commandName != "help" { write(command, after: "apus") }
        section("SETTINGS")
        paragraphs(ConfigCommand.configuration.discussion.components(separatedBy: "Examples:")[0])
        for setting in Settings.referenceSections.flatMap(\.settings) { write(setting) }
        section("EXIT STATUS")
        for status in ExitStatus.allCases { item("\(status.rawValue)", status.meaning) }
        section("SEE ALSO")
        line("kcat(1), systemctl(1)")
    }

    private mutating func write(_ command: CommandDump.Command, after parent: String) {
        let name = "\(parent) \(command.commandName)"
        line(".SS \"\(Self.escaped(name + Self.usage(of: command)))\"")
        line(Self.escaped(command.abstract ?? ""))
        paragraphs(command.discussion ?? "")
        for argument in command.arguments ?? [] where argument.shouldDisplay {
            let names = argument.names ?? []
            guard !names.contains(where: { ["help", "version"].contains($0.name) }) else { continue }
            let value = argument.valueName.map { "<\($0)>" } ?? ""
            let term =
                argument.kind == "positional"
                ? value
                : names.map(\.text).joined(separator: ", ") + (argument.kind == "option" ? " \(value)" : "")
            let rest = argument.defaultValue.map { $0.isEmpty ? "" : " (default: \($0))" } ?? ""
            item(term, (argument.abstract ?? "") + rest)
        }
        for inner in command.subcommands ?? [] where inner.commandName != "help" { write(inner, after: name) }
    }

    private static func usage(of command: CommandDump.Command) -> String {
        (command.arguments ?? []).filter { $0.kind == "positional" && $0.shouldDisplay }.map { argument in
            let value = "<\(argument.valueName ?? "")>" + (argument.isRepeating ? " ..." : "")
            return argument.isOptional ? " [\(value)]" : " \(value)"
        }.joined()
    }

    private mutating func write(_ setting: SettingReference) {
        let value = setting.defaultValue.map { "default \($0)" } ?? "required, such as \(setting.example ?? "")"
        item(setting.path, "\(setting.documentation) Takes: \(setting.type); \(value); \(setting.variable).")
    }

    private mutating func section(_ title: String) { line(".SH \(title)") }

    private mutating func item(_ term: String, _ explanation: String) {
        line(".TP")
        line(".B \(Self.escaped(term))")
        line(Self.escaped(explanation))
    }

    /// Paragraphs flow, but for indented lines, which stand as they are.
    private mutating func paragraphs(_ text: String) {
        for paragraph in text.components(separatedBy: "\n\n") where !paragraph.isEmpty {
            line(".PP")
            var isLiteral = false
            for part in paragraph.split(separator: "\n") {
                if part.hasPrefix(" ") != isLiteral {
                    isLiteral.toggle()
                    line(isLiteral ? ".nf" : ".fi")
                }
                line(Self.escaped(String(part)))
            }
            if isLiteral { line(".fi") }
        }
    }

    private mutating func line(_ line: String) { text += line + "\n" }

    /// Nothing of the text is a request or an escape.
    private static func escaped(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("\"", with: "\\(dq")
        return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
    }
}
