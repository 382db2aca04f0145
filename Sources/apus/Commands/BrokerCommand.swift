import ArgumentParser
import KafkaClient
import UnixSignals

struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Runs a small Kafka broker in memory, for trying things out.",
        discussion: """
            Prints its address and serves any Kafka client on this machine, such as apus run or kcat, until it is \
            interrupted. It is librdkafka's mock cluster: everything is in memory, a partition keeps about its \
            last 5 MB, the port is chosen by the system, and transactions are not kept. Not for production.

            Example:
              apus broker --topics events:4,apus.alerts:1,apus.dead-letters:1,apus.state:4,\
                apus.correlate:4,apus.correlate.state:4
            """)

    @Option(help: "Topics to create, as name:partitions,…")
    var topics: TopicList = TopicList(topics: [])

    @Option(help: "How to write the address: text or json.")
    var output: OutputFormat = .text

    func run() async throws {
        let broker: EmbeddedBroker
        do {
            broker = try EmbeddedBroker(topics: topics.topics)
        } catch {
            Console.note("error: \(error)")
            throw ExitStatus.unavailable.code
        }
        let servers = broker.bootstrapServers
        Console.print(
            output == .json ? ["bootstrapServers": servers].jsonLine : "bootstrap servers: \(servers)")
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
        withExtendedLifetime(broker) {}
    }
}

/// `name:partitions,name:partitions`.
struct TopicList: ExpressibleByArgument {
    var topics: [(name: String, partitions: Int)]

    init(topics: [(name: String, partitions: Int)]) {
        self.topics = topics
    }

    init?(argument: String) {
        topics = []
        for part in argument.split(separator: ",") {
            let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
            guard let name = pieces.first, !name.isEmpty, pieces.count <= 2,
                let partitions = pieces.count == 2 ? Int(pieces[1]) : 1, (1...10_000).contains(partitions)
            else { return nil }
            topics.append((String(name), partitions))
        }
    }

    var defaultValueDescription: String { "none" }
}
