import EventSchema
import Events
import Testing

@Suite struct EventDecoderTests {
    @Test(arguments: [
        (#"{"@timestamp":"2026-11-24T03:11:06.123456789Z"}"#, 1_795_489_866_123_456_789),
        (#"{"@timestamp":"2026-11-24T04:11:06.123+01:00"}"#, 1_795_489_866_123_000_000),
        (#"{"@timestamp":1795489866123}"#, 1_795_489_866_123_000_000),
        (#"{"@timestamp":"1795489866123"}"#, 1_795_489_866_123_000_000),
        (#"{"@timestamp":1795489866123.5}"#, 1_795_489_866_123_500_000), (#"{"@timestamp":"-1"}"#, -1_000_000),
        (#"{"@timestamp":["soon","2026-11-24"]}"#, 1_795_478_400_000_000_000),
    ])
    func timestamps(json: String, nanoseconds: Int64) {
        let reader = Reader([.timestamp])
        #expect(reader.decode(json) == nil)
        #expect(reader.decoder.event.timestamp?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        ("{}", 0), (#"{"@timestamp":null}"#, 0), (#"{"@timestamp":""}"#, 1), (#"{"@timestamp":"2026-13-01"}"#, 1),
        (#"{"@timestamp":9223372036854775807}"#, 1), (#"{"@timestamp":true}"#, 1), (#"{"@timestamp":"-"}"#, 1),
        (#"{"@timestamp":"99999999999999999999"}"#, 1), (#"{"@timestamp":{"x":1}}"#, 0), (#"{"@timestamp":1e300}"#, 1),
    ])
    func noTimestamp(json: String, coercionFailures: Int) {
        let reader = Reader([.timestamp])
        #expect(reader.decode(json) == nil)
        #expect(reader.decoder.event.timestamp == nil)
        #expect(reader.decoder.event.coercionFailures == coercionFailures)
    }

    @Test(
        arguments: [
            (#"{"host":{"id":"h","name":"n"},"agent.id":"a"}"#, "h", 0),
            (#"{"agent.id":"a","host":{"name":"n"}}"#, "a", 1),
            (#"{"host.id":"","winlog":{"computer_name":"c"}}"#, "c", 2), (#"{"host.id":null,"host.name":"n"}"#, "n", 3),
            (#"{"host.id":["","h"]}"#, "h", 0), (#"{"host.id":17}"#, "17", 0), ("{}", nil, nil),
            (#"{"host.id":""}"#, nil, nil),
            (#"{"apus":{"host_key":"forged"}}"#, nil, nil), (#"{"apus.host_key":"forged","host.name":"n"}"#, "n", 3),
        ] as [(String, String?, Int?)])
    func hostKey(json: String, key: String?, candidate: Int?) {
        var layout = FieldLayout()
        let target = layout.insert(.hostKey)
        let candidates = ["host.id", "agent.id", "winlog.computer_name", "host.name"].map {
            layout.insert(FieldPath($0))
        }
        let decoder = EventDecoder(layout: layout, hostKey: (target, candidates))
        #expect(Array(json.utf8).withUnsafeBytes { decoder.decode($0) } == nil)
        #expect(decoder.event.values(target).map { Plain($0) } == (key.map { [.string($0)] } ?? []))
        #expect(decoder.event.hostKeyCandidate == candidate)
        #expect(decoder.event.isPresent(target) == (key != nil))
    }

    @Test func reasonsAreStableAndDistinct() {
        #expect(
            DecodeFailure.allCases.map(\.reason)
                == [
                    "not_json", "not_object", "invalid_utf8", "too_large", "too_deep", "not_forwarded", "out_of_memory",
                ])
    }

    @Test func retainedEventOwnsItsBytes() {
        var payload = Array(#"{"a":1}"#.utf8)
        let origin = RecordOrigin(topic: TopicID(rawValue: 1), partition: 2, offset: 3)
        let event = payload.withUnsafeBytes {
            RetainedEvent(
                copying: $0, origin: origin, timestamp: EventTime(nanoseconds: 4), tiebreaker: 5, isLate: true)
        }
        payload[0] = 0
        #expect(event.bytes == Array(#"{"a":1}"#.utf8))
        #expect(event.origin == origin)
        #expect((event.timestamp.nanoseconds, event.tiebreaker, event.isLate) == (4, 5, true))
    }
}
