import ArgumentParser
import Foundation
import Settings

/// Where a command takes its settings from: the same sources, in the same precedence, as `apus run`.
struct SettingsOptions: ParsableArguments {
    @Option(help: "The configuration file; APUS_CONFIG names it otherwise.")
    var config: String?

    @Option(name: .customLong("set"), help: "Overrides one setting, as path=value. May be repeated.")
    var overrides: [Override] = []

    /// - Parameter flags: Settings that other arguments of the command stand for; they win.
    /// - Throws: the exit status for a configuration that is not valid, after saying what is wrong with it.
    func load(flags: [(String, String)] = []) throws -> Settings {
        let environment = ProcessInfo.processInfo.environment
        do {
            return try Settings.load(
                file: config ?? environment["APUS_CONFIG"], environment: environment,
                flags: overrides.map { ($0.path, $0.value) } + flags
            ).get()
        } catch {
            Console.note("\(error)")
            throw ExitStatus.configuration.code
        }
    }
}

/// `path=value`.
struct Override: ExpressibleByArgument {
    var path: String
    var value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "=") else { return nil }
        path = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}
