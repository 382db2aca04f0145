import CSimdjson

/// Why a record cannot be evaluated. A value that is counted and sent along, not thrown through a batch.
public enum DecodeFailure: UInt8, Error, Hashable, Sendable, CaseIterable {
    /// Not one JSON text (RFC 8259): truncated, empty, with trailing content, or malformed.
    case notJSON
    /// JSON, but not an object.
    case notObject
    /// Not UTF-8, in whichever part of the record.
    case invalidUTF8
    /// Larger than ``DecodeLimits/bytes``.
    case tooLarge
    /// Nested deeper than ``DecodeLimits/depth``.
    case tooDeep
    /// A record of the correlate topic that is none of ours.
    case notForwarded
    /// The buffers for this record could not be had.
    case outOfMemory

    /// Stable: a metric label, and the header of a dead letter.
    public var reason: String {
        switch self {
        case .notJSON: "not_json"
        case .notObject: "not_object"
        case .invalidUTF8: "invalid_utf8"
        case .tooLarge: "too_large"
        case .tooDeep: "too_deep"
        case .notForwarded: "not_forwarded"
        case .outOfMemory: "out_of_memory"
        }
    }

    /// Nil for success.
    init?(_ status: apus_json_status) {
        switch status {
        case APUS_JSON_OK: return nil
        case APUS_JSON_NOT_OBJECT: self = .notObject
        case APUS_JSON_INVALID_UTF8: self = .invalidUTF8
        case APUS_JSON_TOO_LARGE: self = .tooLarge
        case APUS_JSON_TOO_DEEP: self = .tooDeep
        case APUS_JSON_NO_MEMORY: self = .outOfMemory
        default: self = .notJSON
        }
    }
}
