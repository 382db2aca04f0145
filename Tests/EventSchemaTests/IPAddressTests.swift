import EventSchema
import Glibc
import Testing

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("10.0.0.1", "10.0.0.1"), ("255.255.255.255", "255.255.255.255"), ("0.0.0.0", "0.0.0.0"),
        ("::ffff:10.0.0.1", "10.0.0.1"), ("::FFFF:a00:1", "10.0.0.1"), ("::", "::"), ("::1", "::1"),
        ("1::", "1::"), ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
        ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"), ("1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("fe80::0001", "fe80::1"), ("::1.2.3.4", "::102:304"),
    ])
    func parsesAndPrintsCanonically(text: String, canonical: String) throws {
        let address = try #require(IPAddress(parsing: text))
        #expect(address.description == canonical)
        #expect(IPAddress(parsing: canonical) == address)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4 ", " 1.2.3.4",
        "1.2.3.4444", "0x1.2.3.4", "+1.2.3.4", ":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "1:", ":1", "1:2:3:4:5:6:7:", "fe80::1%eth0",
        "[::1]", "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "::1.2.3.400", "10.0.0.1:443",
    ])
    func refuses(text: String) {
        #expect(IPAddress(parsing: text) == nil)
    }

    @Test func randomTextsAreAddressesWhereTheSystemSaysSo() {
        var generator = SplitMix(state: 7)
        let pieces = ["0", "1", "ff", "abcd", "00a", ":", ":", "::", ".", ".", "1.2.3.4", "25", "g", "10000"]
        for _ in 0..<50_000 {
            let text = (0..<Int.random(in: 1...12, using: &generator))
                .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            var storage = in6_addr()
            let isV6 = inet_pton(AF_INET6, text, &storage) == 1
            let isV4 = inet_pton(AF_INET, text, &storage) == 1
            // inet_pton takes leading zeros of dotted octets where this parser is stricter.
            let hasZeroOctet = text.split(whereSeparator: { $0 == "." || $0 == ":" })
                .contains { $0.count > 1 && $0.hasPrefix("0") } && text.contains(".")
            guard !hasZeroOctet else { continue }
            #expect((IPAddress(parsing: text) != nil) == (isV4 || isV6), "\(text)")
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", true), ("10.6.48.157/8", "10.0.0.0", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("0.0.0.0/0", "255.1.2.3", true), ("0.0.0.0/0", "::1", false),
        ("::/0", "10.0.0.1", true), ("fe80::/10", "febf::1", true), ("fe80::/10", "fec0::", false),
        ("192.168.1.7", "192.168.1.7", true), ("192.168.1.7/32", "192.168.1.8", false), ("2001:db8::/128", "2001:db8::", true),
    ])
    func blockContains(block: String, address: String, isInside: Bool) throws {
        let address = try #require(IPAddress(parsing: address))
        #expect(try #require(IPBlock(parsing: block)).contains(address) == isInside)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/", "/8", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "10.0.0/8", "10.0.0.0/+8"])
    func refusesBlock(text: String) {
        #expect(IPBlock(parsing: text) == nil)
    }
}
