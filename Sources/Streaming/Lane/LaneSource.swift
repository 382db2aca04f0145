import Dispatch
import EventSchema
import Events
import KafkaClient

/// One partition that a lane reads.
struct LaneSource {
    let queue: PartitionQueue
    let topic: TopicID
    /// The detector's number for it.
    let number: Int
    /// The offset behind the last record taken, once there is one.
    var position: Int64?
    /// What the last checkpoint said.
    var checkpointed: Int64?
    /// What the group has for certain (-1 for nothing), and then what it was asked to commit since.
    var asked: [Int64] = [-1]
    /// Records below it were processed before the restored state was written; they are never evaluated again.
    var processedUntil: Int64 = 0
    /// Whether some of these have yet to be read once more, since they were held for the watermark.
    var replays = false
    var lastRecord = DispatchTime.now()
    /// The log's timestamp of the last record taken, in milliseconds.
    var lastTimestamp: Int64?
    var isIdle = false
}

extension LaneSource {
    /// While the group does not answer, only the oldest and the newest are kept.
    private static let mostAsked = 64

    mutating func ask(for offset: Int64) {
        if asked.last != offset { asked.append(offset) }
        if asked.count > Self.mostAsked { asked.remove(at: 1) }
    }

    /// - Returns: whether something that was asked for is certain now.
    mutating func confirm(_ offset: Int64) -> Bool {
        let isNews = asked.first != offset
        asked = asked.lastIndex(of: offset).map { Array(asked[$0...]) } ?? [offset]
        return isNews
    }
}
