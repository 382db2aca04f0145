/// Everything that is wrong with the settings, at least one problem, in the order file, environment, flags, and last
/// what is missing or does not fit together.
public struct SettingsErrors: Error, Sendable, Equatable, CustomStringConvertible {
    public let problems: [Problem]

    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        public let place: Place
        /// What is wrong and what to do. Never contains a secret.
        public let message: String

        public var description: String { "\(place): \(message)" }
    }

    /// One line per problem, without a final line break.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// The problems found so far.
struct Problems {
    private(set) var all: [SettingsErrors.Problem] = []

    mutating func report(_ message: String, at place: Place) {
        all.append(SettingsErrors.Problem(place: place, message: message))
    }
}
