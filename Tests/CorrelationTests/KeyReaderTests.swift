import EQL
import EventSchema
import Events
import Testing

@testable import Correlation

/// Join keys as records hold them.
@Suite struct KeyReaderTests {
    private func keys(_ fields: [JoinKey], _ json: String) throws -> (keys: [[String]], truncated: Bool) {
        var layout = FieldLayout()
        let reader = KeyReader(fields, layout: &layout)
        let decoder = EventDecoder(layout: layout)
        let failure = Array(json.utf8).withUnsafeBytes { decoder.decode($0) }
        try #require(failure == nil, "\(json)")
        let (keys, truncated) = reader.keys(of: decoder.event)
        return (keys.map { $0.values.map { $0.text ?? "null" } }, truncated)
    }

    private let name = JoinKey(path: "user.name", isOptional: false)
    private let optional = JoinKey(path: "user.id", isOptional: true)
    private let address = JoinKey(path: "source.ip", isOptional: false)
    private let free = JoinKey(path: "custom.key", isOptional: false)

    @Test func withoutFieldsThereIsOneKey() throws {
        #expect(try keys([], "{}").keys == [[]])
    }

    @Test func aMissingKeyHidesTheEvent() throws {
        #expect(try keys([name], #"{"user.name": [null]}"#).keys.isEmpty)
        #expect(try keys([optional], #"{"user.id": []}"#).keys == [["null"]])
        #expect(try keys([name, optional], #"{"user.name": "a"}"#).keys == [["a", "null"]])
    }

    @Test func combinesDistinctValuesInOrder() throws {
        let json = #"{"user": {"name": ["b", "a", "b", null], "id": ["2", "1"]}}"#
        #expect(try keys([name, optional], json).keys == [["a", "1"], ["a", "2"], ["b", "1"], ["b", "2"]])
    }

    @Test func valuesJoinByWhatTheyMean() throws {
        #expect(try keys([address], #"{"source.ip": ["::ffff:10.0.0.1", "10.0.0.1"]}"#).keys == [["10.0.0.1"]])
        #expect(try keys([free], #"{"custom.key": [5, 5.0, 5.5, "5"]}"#).keys.count == 3)
    }

    /// Swift would hold the two spellings of é equal.
    @Test func textJoinsByCodePoints() throws {
        #expect(try keys([name], #"{"user.name": ["\u00e9", "e\u0301"]}"#).keys.count == 2)
    }

    @Test func combinationsAreBounded() throws {
        let many = (0..<50).map { "\"\($0)\"" }.joined(separator: ",")
        let (keys, truncated) = try keys(
            [name, optional], #"{"user": {"name": [\#(many)], "id": [\#(many)]}}"#)
        #expect(keys.count == KeyReader.maximumFanOut)
        #expect(truncated)
    }

    @Test(arguments: [KeyReader.maximumFanOut, KeyReader.maximumFanOut + 1]) func valuesAreBounded(count: Int) throws {
        let many = (0..<count).map { "\"\($0)\"" }.joined(separator: ",")
        let (keys, truncated) = try keys([name], #"{"user.name": [\#(many)]}"#)
        #expect(keys.count == KeyReader.maximumFanOut)
        #expect(truncated == (count > KeyReader.maximumFanOut))
    }
}
