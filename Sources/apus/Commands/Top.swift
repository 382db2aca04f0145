import ArgumentParser
import Foundation
import Operations

struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows live what running instances do: rates, lag, rules.",
        discussion: """
            Asks the /status of each instance once an interval. Rates are per second, over the last interval. A token or \
            a password is taken from the environment, where it shows in no list of processes: APUS_HTTP_TOKEN, or \
            APUS_HTTP_USER and APUS_HTTP_PASSWORD.

            Examples:
              apus top
              apus top --url http://10.0.0.7:9464 --url http://10.0.0.8:9464
              apus top --once --output json | jq .instances

            With --once: exit code 1 unless every instance is ready.
            """)

    @Option(name: .customLong("url"), help: "Where an instance listens (http.listen). May be repeated.")
    var urls: [String] = ["http://127.0.0.1:9464"]

    @Option(help: "A PEM file with the certificates to trust, in place of the system's.")
    var authority: String?

    @Option(help: "Seconds between two readings.")
    var interval: Double = 1

    @Option(help: "How many rules to show: those with the most matches, the busiest first.")
    var rules = 15

    @Flag(help: "Show one interval and stop.")
    var once = false

    @Option(help: "How to write it: text, or json with one object per interval.")
    var output: OutputFormat = .text

    func validate() throws {
        guard (0.1...3600).contains(interval) else { throw ValidationError("--interval is from 0.1 to 3600 seconds") }
    }

    func run() async throws {
        let credential = Self.credential(ProcessInfo.processInfo.environment)
        let clients: [(url: String, client: OperationsClient)]
        do {
            clients = try urls.map {
                ($0, try OperationsClient(url: $0, credential: credential, authority: authority))
            }
        } catch {
            Console.note("error: \(error)")
            throw ExitStatus.usage.code
        }
        var before = await Self.read(clients)
        while true {
            try await Task.sleep(for: .seconds(interval))
            let now = await Self.read(clients)
            let reading = FleetReading(now, after: before)
            before = now
            show(reading)
            guard !once else {
                if !reading.instances.allSatisfy(\.ready) { throw ExitStatus.negative.code }
                return
            }
        }
    }

    private func show(_ reading: FleetReading) {
        switch output {
        case .json: Console.print(reading.jsonLine)
        case .text:
            let text = FleetTable(reading, rules: rules).text
            // A terminal shows the newest reading only: to the upper left, and what is below it goes.
            Console.print(Console.outputIsTerminal && !once ? "\u{1B}[H\u{1B}[2J" + text : text)
        }
    }

    private static func credential(_ environment: [String: String]) -> OperationsOptions.Credential? {
        if let token = environment["APUS_HTTP_TOKEN"], !token.isEmpty { return .token(token) }
        guard let password = environment["APUS_HTTP_PASSWORD"], !password.isEmpty else { return nil }
        return .basic(user: environment["APUS_HTTP_USER"] ?? "apus", password: password)
    }

    /// All at once; in the order of the clients.
    private static func read(
        _ clients: [(url: String, client: OperationsClient)]
    ) async -> [(url: String, status: Result<InstanceStatus, OperationsClient.Failure>)] {
        await withTaskGroup(of: (Int, Result<InstanceStatus, OperationsClient.Failure>).self) { group in
            for (index, client) in clients.enumerated() {
                group.addTask { (index, await InstanceStatus.read(client.client)) }
            }
            var statuses: [Int: Result<InstanceStatus, OperationsClient.Failure>] = [:]
            for await (index, status) in group { statuses[index] = status }
            return clients.enumerated().compactMap { index, client in statuses[index].map { (client.url, $0) } }
        }
    }
}
