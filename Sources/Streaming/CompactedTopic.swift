public import KafkaClient

/// A topic that holds what must not be forgotten: the newest record of each key stays, however old it is.
public struct CompactedTopic: Sendable {
    public let name: String
    /// What it is called in messages.
    private let title: String
    /// What a topic that deletes by age would lose, and when: a clause.
    private let loss: String
    /// The properties it is to have, `cleanup.policy` among them.
    public let configuration: [String: String]

    /// - Parameters:
    ///   - setting: the setting that names it, if one does.
    ///   - loss: what a topic that deletes by age would lose, and when; a clause.
    ///   - configuration: properties besides `cleanup.policy` that it is to have.
    public init(_ name: String, setting: String? = nil, loss: String, configuration: [String: String] = [:]) {
        self.name = name
        title = "topic '\(name)'" + (setting.map { " of \($0)" } ?? "")
        self.loss = loss
        self.configuration = configuration.merging(["cleanup.policy": "compact"]) { own, _ in own }
    }

    /// Why the topic cannot be used, with the command that mends it; nil when it can be, as far as the brokers tell.
    /// Waits for their answer, up to `timeout`.
    ///
    /// - Parameter doubt: told why they do not tell, where that matters.
    public func refusal(
        _ admin: Admin, brokers: String, timeout: Duration, doubt: (KafkaError) -> Void
    ) -> String? {
        do throws(KafkaError) {
            guard let policy = try admin.configuration(of: name, timeout: timeout)["cleanup.policy"],
                policy != "compact"
            else { return nil }
            let settings = configuration.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return """
                \(title) has cleanup.policy=\(policy): \(loss). Let it keep the newest record of each key: \
                kafka-configs.sh --bootstrap-server \(brokers) --alter --entity-type topics --entity-name \(name) \
                --add-config \(settings.joined(separator: ","))
                """
        } catch {
            // Brokers for trying things out keep everything; and whoever needs the topic says that it is missing.
            if ![.unsupportedFeature, .unknownTopicOrPartition].contains(error.code) { doubt(error) }
            return nil
        }
    }
}

extension PipelineOptions {
    /// Holds what rules remember of hosts, where some rule remembers anything.
    var state: CompactedTopic {
        CompactedTopic(
            stateTopic,
            loss: """
                what rules remember of hosts would be deleted when it has not changed for a while (retention.ms), and a \
                restart or rebalance would forget it without a word
                """,
            // An instance that restores finds the newest checkpoint whole.
            configuration: ["min.compaction.lag.ms": "3600000"])
    }
}
