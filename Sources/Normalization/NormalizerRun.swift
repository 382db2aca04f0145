import EventSchema
import Events

/// Makes the moves of one record. Values that are not part of another get room from the decoder.
struct NormalizerRun {
    let compiled: CompiledNormalizers
    let decoder: EventDecoder

    typealias Bytes = UnsafeRawBufferPointer

    /// Where a value goes: through the rest of its steps into its field.
    private struct Way {
        var target: FieldID
        /// The next step, and the end of the steps.
        var next: Int
        let end: Int
        /// Whether the values the record itself has give way to the first one.
        var replaces: Bool
    }

    func make(_ move: CompiledNormalizers.Move) {
        guard move.replaces || !decoder.isPresent(move.target) else { return }
        for field in move.condition where !isPresent(compiled.fields[field], move) { return }
        var way = Way(
            target: move.target, next: move.steps.lowerBound, end: move.steps.upperBound, replaces: move.replaces)
        switch move.kind {
        case .values: for value in move.values { send(compiled.values[value], &way) }
        case .first: sendFirst(move, &way)
        case .joined: sendJoined(move, &way)
        case .pairs: sendPairs(move, &way)
        }
    }

    // MARK: Origins

    private func sendFirst(_ move: CompiledNormalizers.Move, _ way: inout Way) {
        for field in move.fields where isPresent(compiled.fields[field], move) {
            var cursor = decoder.cursor(compiled.fields[field])
            while let value = decoder.next(&cursor) {
                if let bytes = text(of: value), !isMissing(bytes, move) { send(bytes, &way) }
            }
            return
        }
    }

    private func sendJoined(_ move: CompiledNormalizers.Move, _ way: inout Way) {
        let separator = compiled.values[move.values.lowerBound]
        var length = separator.count * (move.fields.count - 1)
        for field in move.fields {
            guard let bytes = firstText(compiled.fields[field], move) else { return }
            length += bytes.count
        }
        guard let room = decoder.room(length) else { return }
        var end = 0
        for field in move.fields {
            if end > 0 { end = room.append(separator, at: end) }
            if let bytes = firstText(compiled.fields[field], move) { end = room.append(bytes, at: end) }
        }
        send(Bytes(rebasing: room[..<end]), &way)
    }

    /// Objects without a value, or with several, leave lists that do not run in parallel: nobody can say which value
    /// belongs to which name, and none is taken.
    private func sendPairs(_ move: CompiledNormalizers.Move, _ way: inout Way) {
        guard way.next < way.end, case .pair(let name, let isSegment) = compiled.steps[way.next] else { return }
        way.next += 1
        for index in stride(from: move.fields.lowerBound, to: move.fields.upperBound, by: 2) {
            let (names, values) = (compiled.fields[index], compiled.fields[index + 1])
            guard count(names) == count(values) else { continue }
            var nameCursor = decoder.cursor(names)
            var valueCursor = decoder.cursor(values)
            while let key = decoder.next(&nameCursor), let value = decoder.next(&valueCursor) {
                guard isSegment ? self.isSegment(name, of: key) : name.equals(key), let bytes = text(of: value),
                    !isMissing(bytes, move)
                else { continue }
                send(bytes, &way)
            }
        }
    }

    /// Whether `key` is `name` once its blanks and periods are `_`.
    private func isSegment(_ name: Bytes, of key: EventValue) -> Bool {
        guard let key = text(of: key), key.count == name.count else { return false }
        for index in 0..<name.count where key[index] != name[index] {
            guard name[index] == UInt8(ascii: "_"), key[index] == UInt8(ascii: " ") || key[index] == UInt8(ascii: ".")
            else { return false }
        }
        return true
    }

    private func count(_ field: FieldID) -> Int {
        var cursor = decoder.cursor(field)
        var count = 0
        while decoder.next(&cursor) != nil { count += 1 }
        return count
    }

    /// Whether the field has a value that counts.
    private func isPresent(_ field: FieldID, _ move: CompiledNormalizers.Move) -> Bool {
        firstText(field, move) != nil
    }

    private func firstText(_ field: FieldID, _ move: CompiledNormalizers.Move) -> Bytes? {
        var cursor = decoder.cursor(field)
        while let value = decoder.next(&cursor) {
            if let bytes = text(of: value), !isMissing(bytes, move) { return bytes }
        }
        return nil
    }

    private func isMissing(_ bytes: Bytes, _ move: CompiledNormalizers.Move) -> Bool {
        for literal in move.missing where compiled.values[literal].equals(bytes) { return true }
        return false
    }

    private func text(of value: EventValue) -> Bytes? {
        switch value.kind {
        case .string: return value.bytes
        case .integer: return decimal(value.integer)
        case .boolean: return constant(value.boolean ? "true" : "false")
        case .double:
            var text = value.description
            return text.withUTF8 { copy(Bytes($0)) }
        }
    }

    // MARK: Room

    private func decimal(_ number: Int64) -> Bytes? {
        decoder.room(20).map { Bytes(rebasing: $0[$0.writeDecimal(number)...]) }
    }

    private func copy(_ bytes: Bytes) -> Bytes? {
        guard let room = decoder.room(bytes.count) else { return nil }
        _ = room.append(bytes, at: 0)
        return Bytes(room)
    }

    private func mapped(_ bytes: Bytes, _ change: (UInt8) -> UInt8) -> Bytes? {
        guard let room = decoder.room(bytes.count) else { return nil }
        for index in 0..<bytes.count { room[index] = change(bytes[index]) }
        return Bytes(room)
    }

    // MARK: Steps

    /// Takes a value through the steps that are left of its way.
    private func send(_ value: Bytes, _ way: inout Way) {
        guard way.next < way.end else { return arrive(value, &way) }
        way.next += 1
        take(compiled.steps[way.next - 1], value, &way)
        way.next -= 1
    }

    private func arrive(_ value: Bytes, _ way: inout Way) {
        guard !value.isEmpty else { return }
        if way.replaces {
            decoder.takeAway(way.target)
            way.replaces = false
        }
        decoder.give(value, to: way.target)
    }

    private func send(_ value: Bytes?, orNothing way: inout Way) {
        if let value { send(value, &way) }
    }

    private func take(_ step: Step, _ value: Bytes, _ way: inout Way) {
        switch step {
        case .basename: send(value.behindLast(Self.backslash, or: Self.slash) ?? value, &way)
        case .directory: send(value.beforeLast(Self.backslash, or: Self.slash), orNothing: &way)
        case .extension:
            let name = value.behindLast(Self.backslash, or: Self.slash) ?? value
            send(name.behindLast(UInt8(ascii: ".")), orNothing: &way)
        case .lowercase: send(mapped(value, ASCII.lowercased), orNothing: &way)
        case .uppercase: send(mapped(value) { $0 &- 0x61 < 26 ? $0 & 0xDF : $0 }, orNothing: &way)
        case .accountDomain: send(value.beforeLast(Self.backslash), orNothing: &way)
        case .accountName: send(value.behindLast(Self.backslash) ?? value, &way)
        case .mailDomain: send(value.mailParts?.domain, orNothing: &way)
        case .mailName: send(value.mailParts?.name, orNothing: &way)
        case .hash(let name): hashes(value, name, &way)
        case .hashes: hashes(value, nil, &way)
        case .arguments: arguments(value, &way)
        case .argumentCount: send(decimal(Int64(countArguments(value))), orNothing: &way)
        case .date: date(value, &way)
        case .number:
            if let number = value.wholeNumber, let integer = Int64(exactly: number) {
                send(decimal(integer), orNothing: &way)
            }
        case .nanoseconds: nanoseconds(value, &way)
        case .urlDecode: send(urlDecoded(value), orNothing: &way)
        case .urlScheme: send(URLParts(value).scheme, orNothing: &way)
        case .urlDomain: send(URLParts(value).domain, orNothing: &way)
        case .urlPath: send(URLParts(value).path, orNothing: &way)
        case .urlQuery: send(URLParts(value).query, orNothing: &way)
        case .words:
            var words = Words(value)
            while let word = words.next() { send(word, &way) }
        case .word(let number): send(value.word(number), orNothing: &way)
        case .ifWords(let number): if value.wordCount == number { send(value, &way) }
        case .firstWords(let number):
            var words = Words(value)
            while words.number < number, words.next() != nil {}
            if words.number == number { send(value.upTo(words.end), &way) }
        case .unless(let text): if !text.equals(value) { send(value, &way) }
        case .unquote: send(value.unquoted, &way)
        case .mailAddress: if value.mailParts != nil { send(value, &way) }
        case .split(let separator):
            var pieces = Pieces(value, between: separator)
            while let piece = pieces.next() { send(piece.trimmed, &way) }
        case .line(let name):
            var lines = Pieces(value, between: constant("\n"))
            while let line = lines.next() { send(line.value(named: name), orNothing: &way) }
        case .dropPrefix(let prefix): if value.hasPrefix(prefix) { send(value.from(prefix.count), &way) }
        case .ip: send(Address(value)?.ip, orNothing: &way)
        case .port: send(Address(value)?.port, orNothing: &way)
        case .dnsAddresses: dnsAnswers(value, names: false, &way)
        case .dnsNames: dnsAnswers(value, names: true, &way)
        case .bits: bits(value, &way)
        case .httpOutcome:
            if let status = value.wholeNumber { send(constant(status < 400 ? "success" : "failure"), &way) }
        case .map(let pairs):
            for key in stride(from: pairs.lowerBound, to: pairs.upperBound, by: 2)
            where compiled.values[key].equals(value) {
                return send(compiled.values[key + 1], &way)
            }
        case .pair: break
        }
    }

    private static let backslash = UInt8(ascii: "\\")
    private static let slash = UInt8(ascii: "/")

    private func hashes(_ value: Bytes, _ wanted: Bytes?, _ way: inout Way) {
        var pieces = Pieces(value, between: constant(","))
        while let piece = pieces.next() {
            guard let equals = piece.place(of: UInt8(ascii: "=")) else { continue }
            let hash = piece.from(equals + 1).trimmed
            if let wanted, !ASCII.equalIgnoringCase(wanted, piece.upTo(equals).trimmed) { continue }
            if !hash.isAllZeros { send(mapped(hash, ASCII.lowercased), orNothing: &way) }
        }
    }

    private func dnsAnswers(_ value: Bytes, names: Bool, _ way: inout Way) {
        var pieces = Pieces(value, between: constant(";"))
        while let piece = pieces.next() {
            // type:  5 name.example
            let isRecord = piece.hasPrefix(constant("type:"))
            guard isRecord == names else { continue }
            send(names ? piece.word(3) : Address(piece.trimmed)?.ip, orNothing: &way)
        }
    }

    private func date(_ value: Bytes, _ way: inout Way) {
        guard let time = EventTime(parsing: value) ?? EventTime(parsingMilliseconds: value),
            let room = decoder.room(EventTime.longestText)
        else { return }
        send(Bytes(rebasing: room[..<time.write(to: room)]), &way)
    }

    private func nanoseconds(_ value: Bytes, _ way: inout Way) {
        guard let number = value.wholeNumber else { return }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow, let nanoseconds = Int64(exactly: product) else { return }
        send(decimal(nanoseconds), orNothing: &way)
    }

    private func bits(_ value: Bytes, _ way: inout Way) {
        guard let number = value.wholeNumber else { return }
        for bit in 0..<64 where number & (1 << UInt64(bit)) != 0 {
            guard let room = decoder.room(3 + bit / 4) else { return }
            room[0] = UInt8(ascii: "0")
            room[1] = UInt8(ascii: "x")
            room[2] = UInt8(ascii: "0") + (1 << UInt8(bit % 4))
            for index in 3..<room.count { room[index] = UInt8(ascii: "0") }
            send(Bytes(room), &way)
        }
    }

    private func urlDecoded(_ value: Bytes) -> Bytes? {
        guard let room = decoder.room(value.count) else { return nil }
        var end = 0
        var index = 0
        while index < value.count {
            let byte = value[index]
            if byte == UInt8(ascii: "%"), index + 2 < value.count,
                let high = ASCII.hexadecimalDigit(value[index + 1]), let low = ASCII.hexadecimalDigit(value[index + 2])
            {
                room[end] = high << 4 | low
                index += 3
            } else {
                room[end] = byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte
                index += 1
            }
            end += 1
        }
        let decoded = Bytes(rebasing: room[..<end])
        if decoded.isUTF8 { return decoded }
        return mapped(value) { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
    }

    // MARK: Command lines

    private func arguments(_ value: Bytes, _ way: inout Way) {
        // An argument is never longer than what it is read from.
        guard let room = decoder.room(value.count) else { return }
        var end = 0
        var reader = CommandLineReader(value)
        while true {
            let start = end
            guard reader.next(into: room, at: &end) else { return }
            send(Bytes(rebasing: room[start..<end]), &way)
        }
    }

    private func countArguments(_ value: Bytes) -> Int {
        guard let room = decoder.room(value.count) else { return 0 }
        var reader = CommandLineReader(value)
        var count = 0
        var end = 0
        while reader.next(into: room, at: &end) { count += 1 }
        return count
    }
}
