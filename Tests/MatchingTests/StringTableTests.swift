import Testing

@testable import Matching

@Suite struct StringTableTests {
    private let arena = Arena()

    private func row(_ table: StringTable, _ key: some Collection<UInt8>) -> Int? {
        Array(key).withUnsafeBytes { table.row(of: $0) }
    }

    @Test(arguments: [1, 2, 3, 7, 8, 9, 100, 5_000]) func findsEveryKeyAndNothingElse(count: Int) {
        // Of every length up to 40, most of them equal but for the last bytes.
        let keys = (0..<count).map { number in
            Array(String(repeating: "x", count: number % 40).utf8) + Array(String(number).utf8)
        }
        let table = StringTable(keys: keys, in: arena)
        for (place, key) in keys.enumerated() {
            #expect(row(table, key) == place)
            #expect(row(table, key + [0]) == nil)
            #expect(row(table, key.map { $0 ^ 0x80 }) == nil)
        }
        #expect(row(table, []) == nil)
    }

    @Test func emptyTable() {
        let table = StringTable(keys: [], in: arena)
        #expect(table.isEmpty)
        #expect(row(table, []) == nil)
        #expect(row(table, "a".utf8) == nil)
    }

    @Test func theEmptyStringIsAKey() {
        let table = StringTable(keys: [[], Array("a".utf8)], in: arena)
        #expect(row(table, []) == 0)
        #expect(row(table, "a".utf8) == 1)
        #expect(row(table, "b".utf8) == nil)
    }
}
