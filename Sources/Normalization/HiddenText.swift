public import EventSchema
public import Events

/// Derives `apus.decoded.*`: what a command line or a script hides, beside what it shows.
///
/// *Cost:* a text without signs of hiding is looked at once. One with them: linear in its length, at most
/// ``deepest`` times, since what is encoded inside an encoded command is shorter every time.
public final class HiddenText {
    private var deobfuscator = Deobfuscator()

    /// Encoded commands inside encoded commands.
    static let deepest = 3

    public init() {}

    /// Gives `target` what the first value of `source` hides, as far as the decoder is with its record.
    public func derive(_ target: FieldID, from source: FieldID, isScript: Bool, in decoder: EventDecoder) {
        guard let value = decoder.first(source), value.kind == .string, !value.bytes.isEmpty else { return }
        derive(target, from: value.bytes, isScript ? .script : .commandLine, depth: 0, decoder)
    }

    private func derive(
        _ target: FieldID, from text: UnsafeRawBufferPointer, _ kind: Deobfuscator.Kind, depth: Int,
        _ decoder: EventDecoder
    ) {
        var plain = text
        if Deobfuscator.looksObfuscated(text, kind), let resolved = deobfuscator.resolve(text, kind) {
            guard let room = decoder.room(resolved.count) else { return }
            resolved.withUnsafeBytes { room.copyMemory(from: $0) }
            plain = UnsafeRawBufferPointer(room)
            give(plain, to: target, decoder)
        }
        guard depth < Self.deepest, let base64 = EncodedCommand.find(in: plain),
            let room = decoder.room(EncodedCommand.room(for: base64.count)),
            let count = EncodedCommand.decode(base64, into: room)
        else { return }
        let decoded = UnsafeRawBufferPointer(rebasing: room[..<count])
        give(decoded, to: target, decoder)
        derive(target, from: decoded, .script, depth: depth + 1, decoder)
    }

    private func give(_ text: UnsafeRawBufferPointer, to target: FieldID, _ decoder: EventDecoder) {
        guard !text.isEmpty, let room = decoder.room(text.count) else { return }
        for index in 0..<text.count { room[index] = ASCII.lowercased(text[index]) }
        decoder.give(UnsafeRawBufferPointer(room), to: target)
    }
}
