import ArgumentParser
import Detection
import Foundation

struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man", abstract: "Writes the manual page: every command, setting and exit code.",
        discussion: """
            Examples:
              apus man | man -l -
              apus man > /usr/local/share/man/man1/apus.1
            """)

    func run() throws {
        let dump = try JSONDecoder().decode(CommandDump.self, from: Data(Apus._dumpHelp().utf8))
        Console.write(ManualPage(dump.command, version: Engine.version).text)
    }
}
