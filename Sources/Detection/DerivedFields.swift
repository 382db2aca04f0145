import EventSchema
import Events

/// The fields that are derived from others, of those that queries read.
struct DerivedFields {
    struct Hidden {
        var target: FieldID
        var source: FieldID
        var isScript: Bool
    }

    /// Where a script block says which part of what it is.
    struct ScriptBlock {
        var text: FieldID
        var id: FieldID
        var sequence: FieldID
        var total: FieldID
        /// The text of all parts, in a record made of them.
        var joined: FieldID
    }

    var hidden: [Hidden] = []
    /// Nil when no query reads the text.
    var scriptBlock: ScriptBlock?

    /// Adds the fields that those in `layout` are derived from.
    init(_ layout: inout FieldLayout) {
        for field in DecodedField.all {
            guard let target = layout.id(of: field.path) else { continue }
            hidden.append(Hidden(target: target, source: layout.insert(field.source), isScript: field.isScript))
        }
        guard let text = layout.id(of: "powershell.file.script_block_text") else { return }
        scriptBlock = ScriptBlock(
            text: text, id: layout.insert("powershell.file.script_block_id"),
            sequence: layout.insert("powershell.sequence"), total: layout.insert("powershell.total"),
            joined: layout.insert("apus.script_block.text", type: .text))
    }
}

extension DerivedFields.ScriptBlock {
    /// Which part of how many this event is; nil for a block that is whole, and for one that was made of parts.
    func part(_ event: Event) -> (sequence: Int64, total: Int64)? {
        guard let total = event.first(total), total.kind == .integer, total.integer > 1,
            let sequence = event.first(sequence), sequence.kind == .integer,
            sequence.integer >= 1, sequence.integer <= total.integer,
            let id = event.first(id), id.kind == .string, !id.bytes.isEmpty, !event.isPresent(joined)
        else { return nil }
        return (sequence.integer, total.integer)
    }
}
