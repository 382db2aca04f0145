extension Settings {
    /// Every setting there is, in the order of the reference. From this table come the file's keys, the names for the
    /// environment and for flags, the checks, and `config/apus.yaml`.
    static let declarations: [Declaration] = [
        Declaration(
            "application", \.application, .name("name", upTo: 200),
            "Consumer group id and prefix of the internal topics. Instances with the same name share the work."),

        Declaration(
            "kafka.brokers", \.kafka.brokers, .list(of: .broker, "list of host:port"),
            requiredLike: "[localhost:9092]",
            "Brokers to ask first; they name the others."),
        Declaration(
            "kafka.properties", \.kafka.properties, .properties,
            """
            Any librdkafka property, for the consumer and the producer, such as security.protocol: sasl_ssl. A secret \
            stands elsewhere: file:/run/secrets/kafka takes a file's content, env:KAFKA_PASSWORD a variable's. A text \
            that really begins so is written with literal: before it.
            """),
        Declaration(
            "kafka.consumer_properties", \.kafka.consumerProperties, .properties,
            "Properties of the consumer only; they win over kafka.properties."),
        Declaration(
            "kafka.producer_properties", \.kafka.producerProperties, .properties,
            "Properties of the producer only; they win over kafka.properties."),
        Declaration(
            "kafka.instance_id", \.kafka.instanceID, .optionalText("name"),
            """
            Static membership: a name of this instance that survives its restarts, such as a pod of a StatefulSet \
            has. A restart then moves no partitions.
            """),
        Declaration(
            "kafka.create_topics", \.kafka.createTopics, .boolean,
            """
            Create the topics that are missing. Otherwise a missing topic stops the start. One for state, such as \
            apus.state, that is not compacted stops it in any case: it would forget what rules remember of hosts.
            """),
        Declaration(
            "kafka.topic_partitions", \.kafka.topicPartitions, .integer(1...10_000),
            "Partitions of a topic that Apus creates."),
        Declaration(
            "kafka.replication_factor", \.kafka.replicationFactor, .integer(0...100),
            "Replicas of a topic that Apus creates; 0 leaves the number to the brokers (Kafka 2.4 and later)."),
        Declaration(
            "kafka.connect_timeout", \.kafka.connectTimeout, .duration(.seconds(1)...(.hours(1))),
            "How long the start waits for a first broker to answer."),
        Declaration(
            "kafka.transaction_timeout", \.kafka.transactionTimeout, .duration(.seconds(1)...(.minutes(15))),
            """
            For exactly_once: how long a transaction may take. What a killed instance has left open holds back readers \
            of the alert topic for about that long, unless an instance of the same kafka.instance_id comes back first.
            """),

        Declaration(
            "input.topics", \.input.topics, .list(of: .inputTopic, "list of topics"),
            requiredLike: "[events]",
            """
            Topics with events. Where the producers promise that the records' keys are a field, name it: {name: \
            events, key: apus.host_key}; sequences joined by that field then run in place. In one line of text: \
            events=apus.host_key,audit. Records of known sources that are not ECS yet are normalised; normalize: false \
            takes those of a topic as they are.
            """),
        Declaration(
            "input.start", \.input.start, .choice(),
            """
            Where to begin in a partition without a committed offset. earliest misses nothing, also after a crash before \
            the first commit; latest skips what the topic already holds. A partition that is added while Apus runs is \
            read from its beginning either way.
            """),
        Declaration(
            "input.max_record_bytes", \.input.maxRecordBytes, .byteCount(.kibibytes(1)...(.mebibytes(64))),
            "A record larger than this goes to the dead-letter topic undecoded."),

        Declaration(
            "input.prefilter", \.input.prefilter, .boolean,
            """
            Pass records over, without parsing them, whose bytes show that no rule can match. Only for topics with \
            normalize: false and for rules on single events without suppression, each of which asks for some text; the \
            start says which rule stands in the way. The price: a record that is broken or has no timestamp is passed over \
            in silence when none of those texts is in it, and is not dead-lettered.
            """),
        Declaration(
            "input.normalizers", \.input.normalizers, .optionalText("folder"),
            """
            A folder with the tables that say how records which are not ECS yet become it, in place of those that come \
            with Apus; config/normalizers holds a copy of these to begin with. apus normalize shows what they do.
            """),

        Declaration(
            "output.alerts", \.output.alerts, .topicName,
            "The topic for alerts."),
        Declaration(
            "output.shadow", \.output.shadow, .topicName,
            "The topic for alerts of rules in the shadow stage. It has to exist only when there are such rules."),
        Declaration(
            "output.dead_letters", \.output.deadLetters, .topicName,
            "The topic for records that are no events, bytes unchanged, the reason in a header."),
        Declaration(
            "output.profile", \.output.profile, .choice(),
            """
            The shape of an alert, each described in config/schemas. ecs: Elastic Common Schema, with the evidence under \
            apus. elastic-signal: a document as Elastic Security keeps its alerts (kibana.alert.*). ocsf: Detection \
            Finding of the Open Cybersecurity Schema Framework.
            """),

        Declaration(
            "delivery", \.delivery, .choice(),
            """
            exactly_once: alerts, dead letters and offsets are written in one transaction (Kafka 2.5 and later); readers \
            of the alert topic see each alert once if they read committed records only (isolation.level: \
            read_committed). at_least_once: an offset is committed when the alerts of its record are written; after a \
            crash an alert can come again, with the same id.
            """),

        Declaration(
            "rules.paths", \.rules.paths, .list(of: .text("path"), "list of files and folders"),
            requiredLike: "[config/rules]",
            """
            Rule files, and folders that are searched for them; relative to the working directory. Not required when \
            rules.topic is set.
            """),
        Declaration(
            "rules.topic", \.rules.topic, .optionalTopicName,
            """
            A topic with rules, besides those of rules.paths: compacted, the key a rule's id, the value the text of its \
            rule file, as apus rules publish writes it. Every instance reads it wholly at the start and follows it, so \
            that a fleet changes together. A new record loads the rules anew, as a changed file does.
            """),
        Declaration(
            "rules.strict", \.rules.strict, .boolean,
            "Refuse to start when one rule file is bad. Otherwise it is reported and left out."),
        Declaration(
            "rules.watch_interval", \.rules.watchInterval, .duration(.zero...(.hours(1))),
            """
            How often the files of rules, exceptions and lists are looked at; when they have changed and rest, they are \
            loaded anew, as on SIGHUP and POST /reload. The whole set takes effect, or with one new error none of it and \
            the old one stays. 0s does not look.
            """),

        Declaration(
            "exceptions.paths", \.exceptions.paths,
            .list(of: .text("path"), "list of files and folders", mayBeEmpty: true),
            """
            Files of exceptions and value lists, and folders that are searched for them; relative to the working \
            directory. An exception that is not valid is reported and left out, or with rules.strict stops the start.
            """),

        Declaration(
            "host_key", \.hostKey, .list(of: .fieldName, "list of field names"),
            "The fields that identify a host; the first that an event has becomes its apus.host_key."),

        Declaration(
            "time.allowed_lateness", \.time.allowedLateness, .duration(.zero...(.hours(1))),
            """
            How far, in event time, events may arrive out of order and still be put in order for sequences. It delays \
            the alerts of sequences, no others.
            """),
        Declaration(
            "time.idle_timeout", \.time.idleTimeout, .duration(.milliseconds(100)...(.hours(1))),
            "A partition without records for this long no longer holds back the sequences of its lane."),

        Declaration(
            "script_blocks.timeout", \.scriptBlocks.timeout, .duration(.zero...(.hours(1))),
            """
            How long, in event time, a block waits for its next part; then it is matched as far as it came. Its parts \
            hold their offsets back until then.
            """),
        Declaration(
            "script_blocks.max_parts", \.scriptBlocks.maxParts, .integer(1...100_000),
            "Parts of one block. Those of a block that claims more are matched one by one; 1 joins nothing."),
        Declaration(
            "script_blocks.max_size", \.scriptBlocks.maxSize, .byteCount(.kibibytes(1)...(.mebibytes(64))),
            """
            Text of one block; what is longer is cut. The whole record of a block is no larger than \
            input.max_record_bytes either.
            """),
        Declaration(
            "script_blocks.max_blocks", \.scriptBlocks.maxBlocks, .integer(1...1_000_000),
            "Blocks that wait for parts in a lane; one more, and the oldest is matched as far as it came."),
        Declaration(
            "script_blocks.max_held", \.scriptBlocks.maxHeld, .byteCount(.kibibytes(64)...(.mebibytes(4_096))),
            "Bytes of the parts that wait in a lane; beyond them the oldest block is matched as far as it came."),

        Declaration(
            "runtime.cores", \.runtime.cores, .integer(0...1_024),
            "How many lanes run at the same moment; 0 takes all cores."),
        Declaration(
            "runtime.batch_size", \.runtime.batchSize, .integer(1...100_000),
            "The most records a lane takes at once."),
        Declaration(
            "runtime.checkpoint_interval", \.runtime.checkpointInterval,
            .duration(.milliseconds(10)...(.minutes(10))),
            """
            How often what was done is committed: about what is evaluated again after a crash. With exactly_once alerts \
            wait for it, with at_least_once they do not.
            """),
        Declaration(
            "runtime.shutdown_timeout", \.runtime.shutdownTimeout, .duration(.seconds(1)...(.hours(1))),
            """
            How long a stop may take to finish batches and commit. Keep it below the time your supervisor grants: \
            Kubernetes grants 30 s, docker stop 10 s, if not told otherwise.
            """),
        Declaration(
            "runtime.stall_timeout", \.runtime.stallTimeout, .duration(.seconds(1)...(.hours(1))),
            "A lane with records waiting that finishes none for this long makes the instance unhealthy."),

        Declaration(
            "log.level", \.log.level, .choice(),
            "The least important message that is logged."),
        Declaration(
            "log.levels", \.log.levels, .logLevels,
            """
            Another level for a module, such as kafka: warning. pipeline: partitions, checkpoints, dead letters; kafka: what \
            librdkafka says; rules: loading rules; http: the endpoints. No level shows what is in events.
            """),
        Declaration(
            "log.format", \.log.format, .choice(),
            "text for people, json for collectors: one object per line."),

        Declaration(
            "health.file", \.health.file, .optionalText("path"),
            "A file with a heartbeat, rewritten while Apus runs, that apus health reads."),

        Declaration(
            "http.listen", \.http.listen, .listener,
            """
            Where the dashboard (/), metrics (/metrics), probes (/livez, /readyz, /startupz) and /status are served. \
            Beyond this machine only with credentials and TLS. The default address is left alone when another process \
            has it; one that is set must be free.
            """),
        Declaration(
            "http.token", \.http.token, .optionalSecret("token"),
            "A token that clients send as Authorization: Bearer TOKEN. The probes need none."),
        Declaration(
            "http.user", \.http.user, .text("name"),
            "The name that goes with http.password."),
        Declaration(
            "http.password", \.http.password, .optionalSecret("password"),
            "A password for basic authentication, which browsers can do: for the dashboard."),
        Declaration(
            "http.tls_certificate", \.http.tlsCertificate, .optionalText("path"),
            "A PEM file with the certificate and those it depends on; with it, the endpoints speak TLS."),
        Declaration(
            "http.tls_key", \.http.tlsKey, .optionalText("path"),
            "A PEM file with the key of http.tls_certificate."),
        Declaration(
            "http.insecure", \.http.insecure, .boolean,
            """
            Listen beyond this machine even without credentials or TLS, where a proxy or a network policy sees to both.
            """),
    ]

    /// What each section is about.
    static let sections: [String: String] = [
        "kafka": "The connection to Kafka",
        "input": "What is read",
        "output": "What is written",
        "rules": "What is looked for",
        "exceptions": "What is left out",
        "time": "Event time",
        "script_blocks": "PowerShell script blocks that come in parts, which are matched as one event",
        "runtime": "How the work is done",
        "log": "What is said on standard error",
        "health": "What a supervisor may ask",
        "http": "What is served over HTTP",
    ]
}

extension Duration {
    static func minutes(_ count: Int) -> Duration { .seconds(60 * count) }
    static func hours(_ count: Int) -> Duration { .minutes(60 * count) }
}
