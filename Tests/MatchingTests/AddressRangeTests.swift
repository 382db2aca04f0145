import EventSchema
import Testing

@testable import Matching

@Suite struct AddressRangeTests {
    private func block(_ text: String) throws -> IPBlock { try #require(IPBlock(parsing: text)) }

    /// The bits that a search finds, done slowly.
    private func bits(_ ranges: [(range: AddressRange, bits: [Int32])], _ address: IPAddress) -> [Int32] {
        ranges.filter { $0.range.contains(address) }.flatMap(\.bits)
    }

    @Test func nestedBlocksAreCut() throws {
        let blocks = try ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0", "::/0", "192.168.0.0/16"].map(block)
        let ranges = AddressRange.disjoint(blocks, bits: blocks.indices.map { [Int32($0)] })
        let expected: [(String, [Int32])] = [
            ("10.1.2.3", [0, 1, 2, 3, 4]), ("10.1.2.4", [0, 1, 3, 4]), ("10.2.0.0", [0, 3, 4]),
            ("9.255.255.255", [3, 4]),
            ("192.168.3.4", [3, 4, 5]), ("::1", [4]), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", [4]),
        ]
        for (text, found) in expected {
            #expect(bits(ranges, try #require(IPAddress(parsing: text))) == found, "\(text)")
        }
    }

    /// One search finds what looking at every block finds.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func equalsLookingAtEveryBlock(seed: UInt64) throws {
        var state = seed
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        let blocks = (0..<300).map { _ in
            IPBlock(IPAddress(high: 0, low: random(1 << 12)), prefix: Int(116 + random(13)))
        }
        let ranges = AddressRange.disjoint(blocks, bits: blocks.indices.map { [Int32($0)] })
        for (one, other) in zip(ranges, ranges.dropFirst()) {
            #expect((one.range.upperHigh, one.range.upperLow) < (other.range.lowerHigh, other.range.lowerLow))
        }
        for low in 0..<UInt64(1 << 12) {
            let address = IPAddress(high: 0, low: low)
            let expected = blocks.indices.filter { blocks[$0].contains(address) }.map { Int32($0) }
            #expect(bits(ranges, address) == expected)
        }
    }

    @Test func noBlocksMakeNoRanges() {
        #expect(AddressRange.disjoint([], bits: []).isEmpty)
    }
}
