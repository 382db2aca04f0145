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
    /// What the group has for certain; -1 for nothing.
    var confirmed: Int64 = -1
    /// Records below it were processed before the restored state was written; they are never evaluated again.
    var processedUntil: Int64 = 0
    /// Whether some of these have yet to be read once more, since they were held for the watermark.
    var replays = false
    var lastRecord = DispatchTime.now()
    /// The log's timestamp of the last record taken, in milliseconds.
    var lastTimestamp: Int64?
    var isIdle = false
}
