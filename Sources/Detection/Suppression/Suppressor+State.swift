import Correlation
import EventSchema

extension Suppressor.Window {
    /// For the state topic; the group is in the record's key.
    var stateBytes: [UInt8] {
        var writer = StateWriter()
        writer.append(start)
        writer.append(unsigned: count)
        writer.append(first)
        writer.append(last)
        return writer.bytes
    }

    init(stateBytes bytes: [UInt8]) throws(StateCorruption) {
        var reader = StateReader(bytes)
        self.init(start: try reader.time())
        count = try reader.unsigned()
        first = try reader.optionalTime()
        last = try reader.optionalTime()
        try reader.finish()
        guard (count == 0) == (first == nil), (first == nil) == (last == nil) else {
            throw StateCorruption("a window of \(count) findings without their times, or the other way round")
        }
    }
}
