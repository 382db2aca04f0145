import KafkaClient
import Rules

/// What a topic of rules holds: for each key, which is a rule's id, the newest record, which is a rule file's text.
struct RuleTopicContents: Sendable {
    struct Record: Sendable {
        var content: [UInt8]
        var place: PartitionOffset
    }

    let topic: String
    private(set) var records: [String: Record] = [:]
    /// Of each key, removed ones too, the record that counts.
    private var newest: [String: Age] = [:]

    /// Orders the records of one key. Those of one partition come in order; only where the topic has got more partitions
    /// does a key have records in two of them, and then it is their time that tells which one was written last.
    private struct Age: Comparable {
        var timestamp: Int64
        var partition: Int32

        static func < (left: Age, right: Age) -> Bool {
            (left.timestamp, left.partition) < (right.timestamp, right.partition)
        }
    }

    /// Records without a key: no later one can replace them, so they say nothing.
    private(set) var keyless = 0
    /// Grows with every record.
    private(set) var version = 0

    init(topic: String) {
        self.topic = topic
    }

    mutating func apply(_ message: MessageView) {
        version += 1
        guard let key = message.key, !key.isEmpty else {
            keyless += 1
            return
        }
        let id = String(decoding: key, as: UTF8.self)
        let age = Age(timestamp: message.timestamp ?? .min, partition: message.partition)
        if let known = newest[id], known.partition != age.partition, age < known { return }
        newest[id] = age
        records[id] = message.value.map {
            Record(
                content: Array($0),
                place: PartitionOffset(TopicPartition(topic, message.partition), message.offset))
        }
    }

    /// In the order of the ids.
    var documents: [RuleDocument] {
        records.sorted { $0.key < $1.key }.map { id, record in
            RuleDocument(id: id, content: record.content, path: "\(record.place)/\(id)")
        }
    }
}
