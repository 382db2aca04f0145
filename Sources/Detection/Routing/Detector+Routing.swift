import Correlation
import EQL
import EventSchema
public import Events
import Rules

/// What became of a record that says how far an input lane has come.
public enum TakenWatermark: Hashable, Sendable {
    case taken(lane: Int32, lanes: Int)
    /// Of a lane that another one has replaced.
    case outdated
    /// It makes no sense.
    case corrupt
}

/// What became of a record of the correlate topic.
public enum TakenForward: Hashable, Sendable {
    case taken
    /// It had been handed on before.
    case repeated
    /// A hit of a rule that is gone or has another version here, as while instances with two versions run side by side;
    /// or of a topic that is no input here.
    case unknown
    /// The header makes no sense.
    case corrupt(String)
}

extension Detector {
    // MARK: Handing on

    /// The stage hits since the last call that other lanes correlate, in the order in which they were read. They count as
    /// outputs: the checkpoint that frees the records' offsets writes them.
    public func takeForwards(topics: [String]) -> [ForwardedRecord] {
        guard evaluator.hasForwards else { return [] }
        return evaluator.takeForwards().map { hit in
            let rule = rules.rules[hit.query]
            let origin = hit.event.origin
            let header = HitHeader(
                rule: rule.id, hash: rules.versions[hit.query],
                topic: topics[Int(origin.topic.rawValue)], partition: origin.partition, offset: origin.offset,
                time: hit.event.timestamp, tiebreaker: hit.event.tiebreaker, isLate: hit.event.isLate,
                isAhead: hit.isAhead, isJoined: hit.isJoined, stages: hit.stages, key: hit.key)
            return ForwardedRecord(key: header.recordKey, hit: header.bytes, value: hit.event.bytes, origin: origin)
        }
    }

    /// How far this lane has come, for every partition of the correlate topic: written behind the hits taken before, it
    /// promises that only late ones follow.
    ///
    /// - Parameters:
    ///   - lanes: how many input lanes there are.
    ///   - generation: of the group, when the lane began.
    public func laneWatermark(lane: Int32, lanes: Int, generation: Int32) -> [UInt8] {
        evaluator.laneWatermark(lane: lane, lanes: lanes, generation: generation).bytes
    }

    // MARK: Taking up

    /// Announces the partition of the correlate topic that the lane reads.
    public func addCarrier(topic: TopicID, partition: Int32) -> Int {
        evaluator.addCarrier(topic: topic, partition: partition)
    }

    /// Takes a hit that another lane handed on.
    ///
    /// - Parameters:
    ///   - value: the event; borrowed for the call.
    ///   - carrier: where the record stands in the correlate topic.
    ///   - isReplayed: whether it lies below the restored position; see ``replay(_:origin:source:)``.
    public func take(
        _ value: UnsafeRawBufferPointer, hit: UnsafeRawBufferPointer, carrier: RecordOrigin, source: Int,
        topics: [String], isReplayed: Bool = false
    ) -> TakenForward {
        do throws(StateCorruption) {
            let header = try HitHeader(Array(hit))
            guard let query = rules.forwardedByID[header.rule], rules.versions[query] == header.hash,
                let topic = topics.firstIndex(of: header.topic)
            else {
                return .unknown
            }
            let stages = rules.queries.keyReaders[query]
            guard header.stages.allSatisfy(stages.indices.contains), !header.stages.isEmpty,
                header.key.values.count == stages[0].fieldCount
            else { throw StateCorruption("stages \(header.stages) of a rule with \(stages.count)") }
            let forwarded = ForwardedHit(
                query: query, key: header.key, stages: header.stages,
                event: RetainedEvent(
                    copying: value,
                    origin: RecordOrigin(
                        topic: TopicID(rawValue: UInt16(topic)), partition: header.partition, offset: header.offset),
                    timestamp: header.time, tiebreaker: header.tiebreaker, isLate: header.isLate),
                isAhead: header.isAhead, isJoined: header.isJoined)
            if isReplayed {
                _ = evaluator.replay(forwarded, carrier: carrier, source: source)
                return .taken
            }
            guard evaluator.isNew(forwarded, rule: header.rule) else { return .repeated }
            evaluator.take(forwarded, carrier: carrier)
            return .taken
        } catch {
            return .corrupt(error.description)
        }
    }

    /// Notes how far an input lane has come.
    public func note(watermark bytes: UnsafeRawBufferPointer) -> TakenWatermark {
        guard case .correlate(let lanes, _) = evaluator.role, let watermark = try? LaneWatermark(Array(bytes)) else {
            return .corrupt
        }
        guard evaluator.note(watermark, lanes: lanes) else { return .outdated }
        return .taken(lane: watermark.lane, lanes: watermark.lanes)
    }

    /// Lets time move without an input lane that has been silent for too long.
    public func setIdle(lane: Int32) { evaluator.setIdle(lane: lane) }
}
