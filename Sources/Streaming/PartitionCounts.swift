/// How many partitions the topics have that lanes read and write by number.
struct PartitionCounts: Sendable {
    /// Of each input topic, when the pipeline started.
    var inputs: [String: Int] = [:]
    /// Of the correlate topic; 0 where no lane hands anything on.
    var correlate = 0

    /// Lanes that read the inputs, in all instances.
    var lanes: Int { inputs.values.max() ?? 0 }
}
