import EventSchema

/// The order of versions: Semantic Versioning 2.0.0, for any number of numeric parts.
///
/// A missing part ranks below any, `1.2` below `1.2.0`; a pre-release ranks below its release; builds of one
/// release rank by their bytes. What is no version ranks above all that are, and by its bytes.
/// Source: semver.org, section 11, and the documentation of Elasticsearch's `version` field.
struct VersionOrder {
    private let text: UnsafeRawBufferPointer
    /// The end of the numeric parts, and of the pre-release behind them.
    private let releaseEnd: Int
    private let preReleaseEnd: Int
    private let isValid: Bool

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
        let release = text.firstIndex { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } ?? text.count
        releaseEnd = release
        preReleaseEnd = text[release...].firstIndex(of: UInt8(ascii: "+")) ?? text.count
        var isValid = true
        var parts = Parts(UnsafeRawBufferPointer(rebasing: text[..<release]))
        while let part = parts.next() { isValid = isValid && part.isNumber }
        if preReleaseEnd > release {
            var identifiers = Parts(UnsafeRawBufferPointer(rebasing: text[(release + 1)..<preReleaseEnd]))
            while let identifier = identifiers.next() { isValid = isValid && !identifier.isEmpty }
        }
        self.isValid = isValid
    }

    private var preRelease: UnsafeRawBufferPointer? {
        preReleaseEnd > releaseEnd ? UnsafeRawBufferPointer(rebasing: text[(releaseEnd + 1)..<preReleaseEnd]) : nil
    }

    /// Below, equal to or above zero.
    func order(_ other: VersionOrder) -> Int {
        guard isValid, other.isValid else {
            return isValid == other.isValid ? text.order(other.text) : isValid ? -1 : 1
        }
        let release = Self.order(text.prefix(upTo: releaseEnd), other.text.prefix(upTo: other.releaseEnd))
        if release != 0 { return release }
        switch (preRelease, other.preRelease) {
        case (nil, nil): break
        case (nil, _): return 1
        case (_, nil): return -1
        case (let one?, let another?):
            let order = Self.order(one, another)
            if order != 0 { return order }
        }
        return text.suffix(from: preReleaseEnd).order(other.text.suffix(from: other.preReleaseEnd))
    }

    /// Part by part: numbers by value and below names, names by their bytes.
    private static func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        var (lefts, rights) = (Parts(left), Parts(right))
        while true {
            switch (lefts.next(), rights.next()) {
            case (nil, nil): return 0
            case (nil, _): return -1
            case (_, nil): return 1
            case (let one?, let other?):
                let order = one.order(ofPart: other)
                if order != 0 { return order }
            }
        }
    }

    /// What stands between dots.
    private struct Parts {
        private var rest: UnsafeRawBufferPointer?

        init(_ text: UnsafeRawBufferPointer) {
            rest = text
        }

        mutating func next() -> UnsafeRawBufferPointer? {
            guard let text = rest else { return nil }
            guard let dot = text.firstIndex(of: UInt8(ascii: ".")) else {
                rest = nil
                return text
            }
            rest = text.suffix(from: dot + 1)
            return text.prefix(upTo: dot)
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var isNumber: Bool { !isEmpty && allSatisfy { ASCII.isDigit($0) } }

    private var withoutLeadingZeros: UnsafeRawBufferPointer {
        suffix(from: firstIndex { $0 != UInt8(ascii: "0") } ?? count)
    }

    fileprivate func order(ofPart other: UnsafeRawBufferPointer) -> Int {
        guard isNumber, other.isNumber else {
            return isNumber == other.isNumber ? order(other) : isNumber ? -1 : 1
        }
        let (one, another) = (withoutLeadingZeros, other.withoutLeadingZeros)
        return one.count == another.count ? one.order(another) : one.count - another.count
    }
}
