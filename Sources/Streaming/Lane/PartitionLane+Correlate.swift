import Detection
import Dispatch
import Events
import KafkaClient

/// What a lane notes of the way between input lanes and correlate lanes.
struct LaneCorrelation {
    /// Of the correlate topic; as many as the lane's watermark is written to.
    var partitions = 0
    /// What the lane has said last of how far it has come.
    var said: (watermark: [UInt8], at: DispatchTime)?
    /// When the input lanes were heard of, by number; of a lane that reads the correlate topic.
    var heard: [Int32: DispatchTime] = [:]
    var silent: Set<Int32> = []
    var counts = CorrelateCounts()
}

extension PartitionLane {
    /// How often a lane says how far it has come, if it has come further.
    private static let watermarkInterval: UInt64 = 1_000_000_000
    /// How often it says so in any case: lanes that begin without state must hear of it, too.
    private static let repetitionInterval: UInt64 = 30_000_000_000
    /// An input lane that says nothing for this long is not waited for: its member would have lost it by then
    /// (`max.poll.interval.ms`), and another one would have taken over.
    private static let longestSilence: UInt64 = 300_000_000_000

    // MARK: Handing on

    /// Tells the lanes of the correlate topic how far this one has come: behind every hit that was handed on before. When
    /// it begins, too, ahead of all hits: from then on a lane that it has replaced is not listened to any more.
    func sayWatermark(_ now: DispatchTime) {
        guard state == .reading, correlation.partitions > 0, !sources.isEmpty else { return }
        let since = correlation.said.map { now.uptimeNanoseconds - $0.at.uptimeNanoseconds } ?? .max
        guard since >= Self.watermarkInterval else { return }
        let watermark = detector.laneWatermark(
            lane: partition, lanes: environment.partitions.lanes, generation: generation)
        guard watermark != correlation.said?.watermark || since >= Self.repetitionInterval else { return }
        correlation.said = (watermark, now)
        for partition in 0..<correlation.partitions {
            delivery.add(Output(watermark: watermark, for: Int32(partition)))
        }
    }

    // MARK: Taking up

    /// Takes a record of the correlate topic: a hit, or how far an input lane has come.
    func takeForward(_ message: MessageView, _ source: LaneSource, isReplayed: Bool = false) {
        let headers = message.headers
        if let watermark = headers.last(ForwardedRecord.watermarkHeader) {
            guard !isReplayed else { return }
            switch detector.note(watermark: watermark) {
            case .taken(let lane, let lanes):
                // Of those that have yet to say anything, too: from when they are known of.
                while correlation.heard.count < lanes { correlation.heard[Int32(correlation.heard.count)] = .now() }
                correlation.heard[lane] = .now()
                correlation.silent.remove(lane)
            case .outdated: break
            case .corrupt: refuse(message, source)
            }
            return
        }
        let outcome = headers.last(ForwardedRecord.header).map { hit in
            detector.take(
                message.value ?? UnsafeRawBufferPointer(start: nil, count: 0), hit: hit,
                carrier: RecordOrigin(topic: source.topic, partition: partition, offset: message.offset),
                source: source.number, topics: environment.topics.names, isReplayed: isReplayed)
        }
        switch outcome {
        case .taken, .repeated: break
        case .unknown: if !isReplayed { correlation.counts.unknown += 1 }
        case .corrupt, nil: if !isReplayed { refuse(message, source) }
        }
    }

    private func refuse(_ message: MessageView, _ source: LaneSource) {
        correlation.counts.rejected += 1
        reject(message, source, .notForwarded)
    }

    /// Lets time move without input lanes that have been silent for too long.
    func listen(_ now: DispatchTime) {
        for (lane, heard) in correlation.heard
        where now.uptimeNanoseconds > heard.uptimeNanoseconds + Self.longestSilence
            && !correlation.silent.contains(lane)
        {
            correlation.silent.insert(lane)
            detector.setIdle(lane: lane)
            environment.report(.laneSilent(lane, heardBy: partition))
        }
    }
}
