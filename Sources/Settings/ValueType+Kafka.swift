extension ValueType where Value == String {
    /// The text with which each broker's address begins.
    static let broker = text("host:port") { text in
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
            let port = UInt16(text[text.index(after: colon)...]), port > 0,
            text.allSatisfy({ !$0.isWhitespace && $0 != "/" })
        else { return "\"\(text)\" is not host:port, like kafka-1:9092" }
        return nil
    }

    /// A topic name as Kafka allows it.
    static let topicName = name("topic name", upTo: 249)

    /// A name made of what Kafka allows in topic names.
    static func name(_ description: String, upTo limit: Int) -> ValueType {
        text(description) { text in
            guard text.utf8.allSatisfy(isAllowedInTopicName), text.utf8.count <= limit, text != ".", text != ".." else {
                return "\"\(text)\" is not a \(description): "
                    + "at most \(limit) of the letters A to Z and a to z, digits, '.', '_' and '-'"
            }
            return nil
        }
    }

    /// The path of an event's field.
    static let fieldName = text("field name") { text in
        let isClean = text.allSatisfy { !$0.isWhitespace }
        let hasAllParts = text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
        return isClean && hasAllParts ? nil : "\"\(text)\" is not a field name, like host.id"
    }
}

extension ValueType where Value == String? {
    /// A topic name, or empty for none.
    static let optionalTopicName = ValueType(
        description: "topic name, or empty for none",
        read: { raw, reading in
            switch raw.content {
            case .null, .text(""): .some(nil)
            default: ValueType<String>.topicName.read(raw, &reading).map { .some($0) }
            }
        }, write: { .scalar($0 ?? "") })
}

private func isAllowedInTopicName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
    default: false
    }
}

extension ValueType where Value == Settings.Input.Topic {
    /// A topic name, `name=field`, or a map of `name`, `key` and `normalize`.
    static let inputTopic = ValueType(
        description: "topic, or {name: topic, key: field, normalize: true or false}",
        read: { raw, reading in
            switch raw.content {
            case .text(let text):
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = RawValue(content: .text(String(parts[0])), place: raw.place)
                let key = parts.count == 1 ? nil : RawValue(content: .text(String(parts[1])), place: raw.place)
                return topic(name: name, key: key, normalize: nil, &reading)
            case .map(let entries):
                for entry in entries where !["name", "key", "normalize"].contains(entry.key) {
                    reading.problems.report(
                        "unknown key \"\(entry.key)\"; a topic has name, key and normalize", at: entry.place)
                }
                guard let name = entries.first(where: { $0.key == "name" })?.value else {
                    reading.problems.report("this topic has no name; add name: TOPIC", at: raw.place)
                    return nil
                }
                return topic(
                    name: name, key: entries.first { $0.key == "key" }?.value,
                    normalize: entries.first { $0.key == "normalize" }?.value, &reading)
            case .null, .list:
                reading.problems.report(
                    "\(raw.kind) where a topic belongs: its name, or name and key", at: raw.place)
                return nil
            }
        },
        write: { topic in
            if topic.key == nil, topic.normalize { return .scalar(topic.name) }
            return .map(
                [("name", .scalar(topic.name))] + (topic.key.map { [("key", .scalar($0))] } ?? [])
                    + (topic.normalize ? [] : [("normalize", .boolean(false))]))
        })

    private static func topic(
        name: RawValue, key: RawValue?, normalize: RawValue?, _ reading: inout Reading
    ) -> Settings.Input.Topic? {
        let readName = ValueType<String>.topicName.read(name, &reading)
        let readKey = key.map { ValueType<String>.fieldName.read($0, &reading) }
        let readNormalize = normalize.map { ValueType<Bool>.boolean.read($0, &reading) }
        guard let readName else { return nil }
        if let readKey, readKey == nil { return nil }
        if let readNormalize, readNormalize == nil { return nil }
        return Settings.Input.Topic(name: readName, key: readKey ?? nil, normalize: (readNormalize ?? true) ?? true)
    }
}

extension ValueType where Value == [String: PropertyValue] {
    /// librdkafka properties, `file:` and `env:` references resolved. Each source adds to the ones before it.
    static let properties = ValueType(
        description: "map of librdkafka properties",
        read: { raw, reading in
            let entries: [RawValue.Entry]
            switch raw.content {
            case .null: entries = []
            case .map(let map): entries = map
            case .text, .list:
                reading.problems.report(
                    "\(raw.kind) where a map of librdkafka properties belongs, like security.protocol: ssl",
                    at: raw.place)
                return nil
            }
            var properties: [String: PropertyValue] = [:]
            for entry in entries {
                properties[entry.key] = property(entry, &reading)
            }
            return properties.count == entries.count ? properties : nil
        },
        write: { properties in
            .map(properties.sorted { $0.key < $1.key }.map { ($0.key, .scalar($0.value.description)) })
        },
        combine: { $0.merging($1) { $1 } },
        isMap: true)

    private static func property(_ entry: RawValue.Entry, _ reading: inout Reading) -> PropertyValue? {
        if let owner = ownedProperties[entry.key] {
            reading.problems.report("\(entry.key) is not free: \(owner)", at: entry.place)
            return nil
        }
        guard case .text(let text) = entry.value.content else {
            reading.problems.report(
                "\(entry.value.kind) where the value of \(entry.key) belongs", at: entry.value.place)
            return nil
        }
        return PropertyValue.read(text, of: entry.key, at: entry.value.place, &reading)
    }

    /// Properties on which what Apus promises rests, with what to use instead.
    private static let ownedProperties = [
        "bootstrap.servers": "set kafka.brokers",
        "metadata.broker.list": "set kafka.brokers",
        "group.id": "set application",
        "group.instance.id": "set kafka.instance_id",
        "auto.offset.reset": "set input.start",
        "transactional.id": "Apus derives it from application",
        "enable.auto.commit": "Apus commits an offset when its alerts are written",
        "enable.auto.offset.store": "Apus commits an offset when its alerts are written",
        "enable.idempotence": "Apus always writes idempotently",
        "partition.assignment.strategy": "Apus chooses it by the input topics",
    ]
}
