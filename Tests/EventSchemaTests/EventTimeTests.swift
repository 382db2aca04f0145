import EventSchema
import Foundation
import Testing

@Suite struct EventTimeTests {
    @Test(arguments: [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-24T03:11:06.123Z", 1_795_489_866_123_000_000),
        ("2026-11-24 03:11:06.123", 1_795_489_866_123_000_000),
        ("2026-11-24t03:11:06,123z", 1_795_489_866_123_000_000),
        ("2026-11-24T03:11", 1_795_489_860_000_000_000),
        ("2026-11-24T03Z", 1_795_489_200_000_000_000),
        ("2026-11-24T04:11:06.123+01:00", 1_795_489_866_123_000_000),
        ("2026-11-24T04:41:06.123+0130", 1_795_489_866_123_000_000),
        ("2026-11-23T22:11:06.123-05", 1_795_489_866_123_000_000),
        ("2026-11-24T03:11:06.1Z", 1_795_489_866_100_000_000),
        ("2026-11-24T03:11:06.123456789Z", 1_795_489_866_123_456_789),
        ("2026-11-24T03:11:06.1234567899999Z", 1_795_489_866_123_456_789),
        ("2000-02-29", 951_782_400_000_000_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("1677-09-21T00:12:43.145224192Z", Int64.min),
        ("2262-04-11T23:47:16.854775807Z", Int64.max),
    ])
    func parses(text: String, nanoseconds: Int64) {
        #expect(EventTime(parsing: text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "", " ", "2026", "2026-11", "2026-11-", "2026-13-01", "2026-00-10", "2026-11-31", "2026-02-29", "1900-02-29",
        "2026-11-00", "26-11-24", "2026-1-24", "2026/11/24", "2026-11-24T", "2026-11-24X03", "2026-11-24T24:00:00Z",
        "2026-11-24T03:60:00Z", "2026-11-24T03:11:60Z", "2026-11-24T03:11:06.Z", "2026-11-24T03:11:06Z ",
        " 2026-11-24", "2026-11-24T03:11:06+", "2026-11-24T03:11:06+1", "2026-11-24T03:11:06+01:",
        "2026-11-24T03:11:06+19:00", "2026-11-24T03:11:06+01:60", "2026-11-24T03:11:06ZZ", "2026-11-24Z",
        "1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z", "9999-12-31", "-026-11-24",
        "2026-11-24T03:11:06.123\u{0}", "２０２６-11-24",
    ])
    func refuses(text: String) {
        #expect(EventTime(parsing: text) == nil)
    }

    @Test(arguments: [
        ("0", 0), ("1", 1_000_000), ("-1", -1_000_000), ("007", 7_000_000), ("1.5", 1_500_000),
        ("-1.5", -1_500_000), ("131509374294.365140", 131_509_374_294_365_140),
        ("1795489866123.4567899", 1_795_489_866_123_456_789), ("0.0000009", 0),
        ("9223372036854.775807", Int64.max), ("-9223372036854.775808", Int64.min),
    ])
    func parsesMilliseconds(text: String, nanoseconds: Int64) {
        #expect(milliseconds(text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "", "-", ".", "1.", ".5", "+1", "1 ", " 1", "1e3", "1.5.5", "0x1", "1.-5", "9223372036854.775808",
        "9223372036855", "-9223372036854.775809", "9999999999999999999999",
    ])
    func refusesMilliseconds(text: String) {
        #expect(milliseconds(text) == nil)
    }

    private func milliseconds(_ text: String) -> EventTime? {
        Array(text.utf8).withUnsafeBytes { EventTime(parsingMilliseconds: $0) }
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_489_866_123_000_000, "2026-11-24T03:11:06.123Z"),
        (1_795_489_866_123_456_000, "2026-11-24T03:11:06.123456Z"),
        (1_795_489_866_123_456_789, "2026-11-24T03:11:06.123456789Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (Int64.min, "1677-09-21T00:12:43.145224192Z"),
        (Int64.max, "2262-04-11T23:47:16.854775807Z"),
    ])
    func prints(nanoseconds: Int64, text: String) {
        #expect(EventTime(nanoseconds: nanoseconds).description == text)
    }

    @Test func everyDayFrom1680To2260IsFoundationsDay() {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        for day in stride(from: -105_900, to: 105_900, by: 17) {
            let time = EventTime(nanoseconds: Int64(day) * 86_400_000_000_000)
            let parts = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
            let expected = String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
            #expect(time.description == expected + "T00:00:00.000Z")
            #expect(EventTime(parsing: expected) == time)
        }
    }

    @Test func randomInstantsPrintAndParseBack() {
        var generator = SplitMix(state: 20_261_124)
        for _ in 0..<20_000 {
            let time = EventTime(nanoseconds: Int64(bitPattern: generator.next()))
            #expect(EventTime(parsing: time.description) == time)
        }
    }

    @Test func millisecondsOutOfRangeAreNoInstant() {
        #expect(EventTime(milliseconds: Int64.max) == nil)
        #expect(EventTime(milliseconds: 1e300) == nil)
        #expect(EventTime(milliseconds: Double.nan) == nil)
        #expect(EventTime(milliseconds: 1.5)?.nanoseconds == 1_500_000)
        #expect(EventTime(nanoseconds: -1).milliseconds == -1)
        #expect(EventTime(nanoseconds: 1_999_999).milliseconds == 1)
    }
}

/// A small seeded generator: Sebastiano Vigna's splitmix64.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
