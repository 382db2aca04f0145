/// An instant of event time: nanoseconds since 1970-01-01T00:00:00Z, from 1677 to 2262.
public struct EventTime: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Nil when the instant does not fit.
    public init?(milliseconds: Int64) {
        let (value, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return nil }
        nanoseconds = value
    }

    /// Epoch milliseconds with a fraction. Nil when the instant does not fit.
    public init?(milliseconds: Double) {
        // Apart: a double has no room for both the milliseconds of this century and their nanoseconds.
        let whole = milliseconds.rounded(.down)
        guard let whole64 = Int64(exactly: whole), let start = EventTime(milliseconds: whole64) else { return nil }
        let fraction = Int64(((milliseconds - whole) * 1_000_000).rounded())
        let (value, overflow) = start.nanoseconds.addingReportingOverflow(fraction)
        guard !overflow else { return nil }
        nanoseconds = value
    }

    /// Whole milliseconds since the epoch, rounded down.
    public var milliseconds: Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    public static func < (left: EventTime, right: EventTime) -> Bool { left.nanoseconds < right.nanoseconds }
}

// MARK: - ISO 8601

extension EventTime {
    /// Parses ISO 8601 without allocating.
    ///
    /// `2026-11-24`, or with `T` or a blank `03`, `03:11`, `03:11:06`, `03:11:06.123456789`, and `Z`, `+01:00`,
    /// `+0100` or `+01`; without an offset the time is UTC. Digits of the fraction after the ninth are cut off.
    /// Nil for anything else, for dates no calendar has, and for instants outside 1677 to 2262.
    public init?(parsing bytes: UnsafeRawBufferPointer) {
        var cursor = ByteCursor(bytes)
        guard let day = cursor.takeDay() else { return nil }
        var time = TimeOfDay()
        var offset = 0
        if !cursor.isAtEnd {
            guard cursor.take(.letterT) || cursor.take(.letterT | 0x20) || cursor.take(.blank),
                let parsedTime = cursor.takeTimeOfDay(), let parsedOffset = cursor.takeOffset(), cursor.isAtEnd
            else { return nil }
            time = parsedTime
            offset = parsedOffset
        }
        self.init(seconds: day * 86_400 + time.seconds - offset, fraction: time.nanoseconds)
    }

    public init?(parsing text: String) {
        var text = text
        guard let time = text.withUTF8({ EventTime(parsing: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = time
    }

    private init?(seconds: Int, fraction: Int) {
        // Towards zero first: the last second before the lower bound fits only together with its fraction.
        let (whole, part) = seconds < 0 ? (seconds + 1, fraction - 1_000_000_000) : (seconds, fraction)
        let (scaled, scaleOverflow) = Int64(whole).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOverflow) = scaled.addingReportingOverflow(Int64(part))
        guard !scaleOverflow, !sumOverflow else { return nil }
        nanoseconds = sum
    }
}

// MARK: - Epoch milliseconds

extension EventTime {
    /// Parses milliseconds since the epoch, with a fraction perhaps: `1700000000000`, `-1`, `1700000000000.123456`.
    ///
    /// Exact, where a double would round the nanoseconds away; digits of the fraction after the sixth are cut off.
    /// Nil for anything else and for instants that do not fit.
    public init?(parsingMilliseconds bytes: UnsafeRawBufferPointer) {
        var cursor = ByteCursor(bytes)
        let isNegative = cursor.take(.dash)
        // 18 digits are more than an instant has, and fit.
        guard let whole = cursor.takeNumber(upToDigits: 18) else { return nil }
        var fraction = 0
        if cursor.take(.period) {
            guard !cursor.isAtEnd else { return nil }
            var weight = 100_000
            while let digit = cursor.takeDigit() {
                fraction += digit * weight
                weight /= 10
            }
        }
        guard cursor.isAtEnd, let time = EventTime(milliseconds: Int64(isNegative ? -whole : whole)) else { return nil }
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(Int64(isNegative ? -fraction : fraction))
        guard !overflow else { return nil }
        nanoseconds = sum
    }
}

extension ByteCursor {
    /// One digit or more, all that stand here; nil when there are none or too many.
    fileprivate mutating func takeNumber(upToDigits limit: Int) -> Int? {
        guard var value = takeDigit() else { return nil }
        var count = 1
        while let digit = takeDigit() {
            count += 1
            guard count <= limit else { return nil }
            value = value * 10 + digit
        }
        return value
    }
}

private struct TimeOfDay {
    var seconds = 0
    var nanoseconds = 0
}

extension UInt8 {
    fileprivate static let blank = UInt8(ascii: " ")
    fileprivate static let colon = UInt8(ascii: ":")
    fileprivate static let comma = UInt8(ascii: ",")
    fileprivate static let dash = UInt8(ascii: "-")
    fileprivate static let letterT = UInt8(ascii: "T")
    fileprivate static let letterZ = UInt8(ascii: "Z")
    fileprivate static let period = UInt8(ascii: ".")
    fileprivate static let plus = UInt8(ascii: "+")
}

extension ByteCursor {
    /// `yyyy-MM-dd` as days since the epoch.
    fileprivate mutating func takeDay() -> Int? {
        guard let year = takeNumber(digits: 4), take(.dash),
            let month = takeNumber(digits: 2), take(.dash), (1...12).contains(month),
            let day = takeNumber(digits: 2), day >= 1, day <= CivilDate.days(inMonth: month, ofYear: year)
        else { return nil }
        return CivilDate(year: year, month: month, day: day).daysSinceEpoch
    }

    fileprivate mutating func takeTimeOfDay() -> TimeOfDay? {
        guard let hour = takeNumber(digits: 2), hour < 24 else { return nil }
        var time = TimeOfDay(seconds: hour * 3600)
        guard take(.colon) else { return time }
        guard let minute = takeNumber(digits: 2), minute < 60 else { return nil }
        time.seconds += minute * 60
        guard take(.colon) else { return time }
        guard let second = takeNumber(digits: 2), second < 60 else { return nil }
        time.seconds += second
        guard take(.period) || take(.comma) else { return time }
        guard var digit = takeDigit() else { return nil }
        var weight = 100_000_000
        while true {
            time.nanoseconds += digit * weight
            weight /= 10
            guard let following = takeDigit() else { return time }
            digit = following
        }
    }

    /// Seconds east of Greenwich; 0 at the end of the text.
    fileprivate mutating func takeOffset() -> Int? {
        guard !isAtEnd else { return 0 }
        if take(.letterZ) || take(.letterZ | 0x20) { return 0 }
        let sign: Int
        if take(.plus) { sign = 1 } else if take(.dash) { sign = -1 } else { return nil }
        guard let hours = takeNumber(digits: 2), hours <= 18 else { return nil }
        guard !isAtEnd else { return sign * hours * 3600 }
        _ = take(.colon)
        guard let minutes = takeNumber(digits: 2), minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}

// MARK: - Printing

extension EventTime: CustomStringConvertible {
    /// ISO 8601 in UTC with 3, 6 or 9 digits of fraction, the fewest that lose nothing.
    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(30)
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends what `description` says.
    public func write(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: Self.longestText, alignment: 1) { buffer in
            let count = write(to: buffer)
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    /// What `description` has at most, in bytes.
    public static let longestText = 30

    /// Writes what `description` says to the start of `buffer`, which has room for ``longestText`` bytes; their number.
    public func write(to buffer: UnsafeMutableRawBufferPointer) -> Int {
        var writer = TimeWriter(buffer: buffer)
        let days = Int(nanoseconds).flooringQuotientAndRemainder(by: 86_400_000_000_000)
        let date = CivilDate(daysSinceEpoch: days.quotient)
        writer.append(date.year, digits: 4)
        writer.append(.dash)
        writer.append(date.month, digits: 2)
        writer.append(.dash)
        writer.append(date.day, digits: 2)
        writer.append(.letterT)
        let (second, fraction) = days.remainder.quotientAndRemainder(dividingBy: 1_000_000_000)
        writer.append(second / 3600, digits: 2)
        writer.append(.colon)
        writer.append(second / 60 % 60, digits: 2)
        writer.append(.colon)
        writer.append(second % 60, digits: 2)
        writer.append(.period)
        if fraction % 1_000_000 == 0 {
            writer.append(fraction / 1_000_000, digits: 3)
        } else if fraction % 1000 == 0 {
            writer.append(fraction / 1000, digits: 6)
        } else {
            writer.append(fraction, digits: 9)
        }
        writer.append(.letterZ)
        return writer.count
    }
}

private struct TimeWriter {
    let buffer: UnsafeMutableRawBufferPointer
    var count = 0

    mutating func append(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    mutating func append(_ number: Int, digits: Int) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}

extension Int {
    fileprivate func flooringQuotientAndRemainder(by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// A day of the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year, in eras of 400 years
/// (146,097 days); see Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
private struct CivilDate {
    var year: Int
    var month: Int
    var day: Int

    static func days(inMonth month: Int, ofYear year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    var daysSinceEpoch: Int {
        let marchYear = month > 2 ? year : year - 1
        let (era, yearOfEra) = marchYear.flooringQuotientAndRemainder(by: 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension CivilDate {
    init(daysSinceEpoch days: Int) {
        let (era, dayOfEra) = (days + 719_468).flooringQuotientAndRemainder(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
