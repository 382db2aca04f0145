import Alerts
import Detection
import EQL
import EventSchema
import KafkaClient
import Rules
import Settings
import Streaming

extension PipelineOptions {
    /// What a pipeline is told, from what the operator said.
    init(_ settings: Settings, fields: EventFields) {
        var consumer = ClientProperties(settings.kafka.consumer)
        var producer = ClientProperties(settings.kafka.producer)
        let brokers = settings.kafka.brokers.joined(separator: ",")
        consumer["bootstrap.servers"] = brokers
        producer["bootstrap.servers"] = brokers
        consumer["client.id"] = consumer["client.id"] ?? settings.application
        producer["client.id"] = producer["client.id"] ?? settings.application
        consumer["auto.offset.reset"] = settings.input.start.rawValue
        if let instance = settings.kafka.instanceID { consumer["group.instance.id"] = instance }
        // Lanes read one partition number of every input; range assignment keeps these together.
        if consumer["partition.assignment.strategy"] == nil {
            consumer["partition.assignment.strategy"] =
                settings.input.topics.count == 1 ? "cooperative-sticky" : "range"
        }
        // A dead letter is as large as the record it holds, whatever the limit for records to evaluate is.
        producer["message.max.bytes"] = producer["message.max.bytes"] ?? "100000000"

        self.init(
            application: settings.application, consumer: consumer, producer: producer,
            inputs: settings.input.topics.map {
                InputTopic(name: $0.name, key: $0.key.map { FieldPath($0) }, normalizes: $0.normalize)
            },
            alertTopic: settings.output.alerts, deadLetterTopic: settings.output.deadLetters)
        shadowTopic = settings.output.shadow
        profile = AlertProfile(settings.output.profile)
        delivery =
            switch settings.delivery {
            case .atLeastOnce: .atLeastOnce
            case .exactlyOnce: .exactlyOnce
            }
        if let instance = settings.kafka.instanceID { self.instance = instance }
        transactionTimeout = settings.kafka.transactionTimeout
        createTopics =
            settings.kafka.createTopics
            ? TopicCreation(
                partitions: settings.kafka.topicPartitions, replicationFactor: settings.kafka.replicationFactor)
            : nil
        connectTimeout = settings.kafka.connectTimeout
        maxRecordBytes = settings.input.maxRecordBytes.bytes
        self.fields = fields
        allowedLateness = settings.time.allowedLateness
        scriptBlocks = ScriptBlockLimits(
            blocks: settings.scriptBlocks.maxBlocks, parts: settings.scriptBlocks.maxParts,
            text: settings.scriptBlocks.maxSize.bytes, bytes: settings.scriptBlocks.maxHeld.bytes,
            patience: Int64(settings.scriptBlocks.timeout.seconds * 1e9))
        idleTimeout = settings.time.idleTimeout
        cores = settings.runtime.cores
        batchSize = settings.runtime.batchSize
        checkpointInterval = settings.runtime.checkpointInterval
        drainTimeout = settings.runtime.shutdownTimeout * 4 / 5
        stallTimeout = settings.runtime.stallTimeout
    }
}

extension ClientProperties {
    init(_ values: [String: PropertyValue]) {
        self.init()
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { self[key] = value.revealed }
    }
}

extension AlertProfile {
    init(_ profile: Settings.Output.Profile) {
        switch profile {
        case .ecs: self = .ecs
        case .elasticSignal: self = .elasticSignal
        case .ocsf: self = .ocsf
        }
    }
}
