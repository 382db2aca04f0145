#include "apus_json.h"

#include "buffer.hpp"
#include "field_plan.hpp"
#include "room.hpp"
#include "structure.hpp"

#include <algorithm>
#include <new>

using namespace apus;

struct apus_json_decoder {
    apus_json_decoder(const apus_json_field *fields, uint16_t count, apus_json_limits limits)
        : plan(fields, count), heads(count, APUS_JSON_NONE), tails(count, APUS_JSON_NONE),
          limits{std::min(limits.bytes, size_t(UINT32_MAX) / 2), std::min(limits.depth, size_t(1024))} {
        coercions.reserve(count);
        for (uint16_t index = 0; index < count; ++index) { coercions.push_back(fields[index].coercion); }
    }

    apus_json_status decode(const uint8_t *bytes, size_t length) noexcept;
    apus_json_status find_members(const uint8_t *bytes, size_t length) noexcept;
    bool append(uint32_t field, apus_json_kind kind, uint64_t bits, uint32_t length) noexcept;
    bool append(uint16_t field, Text text) noexcept;

    apus_json_record record() const noexcept { return {values.data(), heads.data(), coercion_failures}; }

    const FieldPlan plan;
    Structure structure;
    Buffer<apus_json_value> values;
    Buffer<apus_json_member> members;
    std::vector<uint32_t> heads;
    std::vector<uint32_t> tails;
    std::vector<apus_json_coercion> coercions;
    Room room;
    const apus_json_limits limits;
    uint32_t coercion_failures = 0;

private:
    using Node = FieldPlan::Node;

    template <typename Root>
    apus_json_status read(const uint8_t *bytes, size_t length, Root take_root) noexcept;
    bool take_value(Walker &walker, const Node *node, size_t depth) noexcept;
    bool take_member(Walker &walker, const Node *node, Text key, size_t depth) noexcept;
    bool take_string(Walker &walker, const Node *node) noexcept;
    bool take_scalar(Walker &walker, const Node *node) noexcept;

    bool append_string(const Node *node, Text text) noexcept;
    bool append_text(const Node *node, Text text) noexcept {
        return append(node->field, APUS_JSON_STRING, reinterpret_cast<uintptr_t>(text.begin), uint32_t(text.length));
    }
    bool append_boolean(const Node *node, bool value) noexcept {
        return append(node->field, APUS_JSON_BOOL, value ? 1 : 0, 0);
    }
    bool append_double(const Node *node, double value) noexcept {
        uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        return append(node->field, APUS_JSON_DOUBLE, bits, 0);
    }
    bool append_integer(const Node *node, int64_t value) noexcept {
        return append(node->field, APUS_JSON_INTEGER, uint64_t(value), 0);
    }
    bool append_number(const Node *node, Number number) noexcept;

    bool leave_out() noexcept {
        ++coercion_failures;
        return true;
    }
};

// MARK: - Decoding

template <typename Root>
apus_json_status apus_json_decoder::read(const uint8_t *bytes, size_t length, Root take_root) noexcept {
    const apus_json_status loaded = structure.load(bytes, length, limits.bytes);
    if (loaded != APUS_JSON_OK) { return loaded; }
    Walker walker(structure, limits.depth);
    const bool is_object = walker.peek() == '{';
    const bool is_read = is_object ? take_root(walker) : walker.skip_value(1);
    if (!is_read) { return walker.status; }
    if (!walker.is_at_end()) { return APUS_JSON_NOT_JSON; }
    return is_object ? APUS_JSON_OK : APUS_JSON_NOT_OBJECT;
}

apus_json_status apus_json_decoder::decode(const uint8_t *bytes, size_t length) noexcept {
    values.clear();
    room.take_back();
    coercion_failures = 0;
    std::fill(heads.begin(), heads.end(), APUS_JSON_NONE);
    return read(bytes, length, [&](Walker &walker) noexcept { return take_value(walker, plan.root(), 1); });
}

/// Once per key, into the loop over the keys: a tenth of the time of decoding.
[[gnu::always_inline]] inline bool
apus_json_decoder::take_member(Walker &walker, const Node *node, Text key, size_t depth) noexcept {
    const Node *child;
    const uint64_t head = load_word(key.begin, key.length);
    if (has_dot_or_escape(key, head)) {
        if (has_escape(key)) {
            key.length = unescape(key.begin, key.length, key.begin);
            if (key.length == SIZE_MAX) { return walker.fail(APUS_JSON_NOT_JSON); }
        }
        child = plan.descendant(node, key);
    } else {
        child = plan.child(node, key, head);
    }
    return child == nullptr ? walker.skip_value(depth) : take_value(walker, child, depth);
}

bool apus_json_decoder::take_value(Walker &walker, const Node *node, size_t depth) noexcept {
    switch (walker.peek()) {
    case '{':
        if (!node->has_children()) { return walker.skip_value(depth); }
        return walker.take_object(
            depth, [&](Text key) noexcept { return take_member(walker, node, key, depth + 1); });
    case '[':
        return walker.take_array(depth, [&]() noexcept { return take_value(walker, node, depth + 1); });
    case '"':
        return node->field == FieldPlan::none ? walker.skip_value(depth) : take_string(walker, node);
    default:
        return node->field == FieldPlan::none ? walker.skip_value(depth) : take_scalar(walker, node);
    }
}

bool apus_json_decoder::take_string(Walker &walker, const Node *node) noexcept {
    Text text = walker.take_string();
    if (has_escape(text)) {
        // In place: this copy of the record is ours, and nothing reads the escaped form again.
        text.length = unescape(text.begin, text.length, text.begin);
        if (text.length == SIZE_MAX) { return walker.fail(APUS_JSON_NOT_JSON); }
    }
    return append_string(node, text) || walker.fail(APUS_JSON_NO_MEMORY);
}

bool apus_json_decoder::append_string(const Node *node, Text text) noexcept {
    switch (node->coercion) {
    case APUS_JSON_TEXT:
    case APUS_JSON_DATE:
    case APUS_JSON_DYNAMIC: return append_text(node, text);
    case APUS_JSON_LONG:
    case APUS_JSON_FLOAT: return append_number(node, number_from_string(text));
    case APUS_JSON_BOOLEAN: break;
    }
    const Literal literal = text.length == 0 ? Literal::none : literal_of(text);
    const bool fits = literal == Literal::true_ || literal == Literal::false_;
    return fits ? append_boolean(node, literal == Literal::true_) : leave_out();
}

bool apus_json_decoder::append(uint16_t field, Text text) noexcept {
    Node node;
    node.field = field;
    node.coercion = coercions[field];
    return append_string(&node, text);
}

bool apus_json_decoder::take_scalar(Walker &walker, const Node *node) noexcept {
    const Text token = walker.take_scalar();
    const Literal literal = literal_of(token);
    if (literal == Literal::null) { return true; }
    const Number::Form form = literal == Literal::none ? json_number_form(token) : Number::none;
    if (literal == Literal::none && form == Number::none) { return walker.fail(APUS_JSON_NOT_JSON); }

    bool is_kept = true;
    switch (node->coercion) {
    case APUS_JSON_TEXT:
        is_kept = append_text(node, token);
        break;
    case APUS_JSON_BOOLEAN:
        is_kept = literal != Literal::none ? append_boolean(node, literal == Literal::true_) : leave_out();
        break;
    case APUS_JSON_DYNAMIC:
        is_kept = literal != Literal::none ? append_boolean(node, literal == Literal::true_)
                                           : append_number(node, number_from_token(token, form));
        break;
    case APUS_JSON_LONG:
    case APUS_JSON_FLOAT:
    case APUS_JSON_DATE:
        is_kept = append_number(node, number_from_token(token, form));
        break;
    }
    return is_kept || walker.fail(APUS_JSON_NO_MEMORY);
}

bool apus_json_decoder::append_number(const Node *node, Number number) noexcept {
    if (number.form == Number::none) { return leave_out(); }
    if (node->coercion == APUS_JSON_FLOAT) { return append_double(node, number.as_double()); }
    if (number.form == Number::integer) { return append_integer(node, number.whole); }
    // 2^63 and beyond stay doubles: comparisons with any integer still come out right.
    const bool fits = number.fraction >= -9223372036854775808.0 && number.fraction < 9223372036854775808.0;
    if (node->coercion == APUS_JSON_LONG && fits) { return append_integer(node, int64_t(number.fraction)); }
    return append_double(node, number.fraction);
}

bool apus_json_decoder::append(uint32_t field, apus_json_kind kind, uint64_t bits, uint32_t length) noexcept {
    const auto index = uint32_t(values.count());
    if (!values.append({bits, length, APUS_JSON_NONE, uint16_t(field), uint8_t(kind)})) { return false; }
    if (heads[field] == APUS_JSON_NONE) {
        heads[field] = index;
    } else {
        values[tails[field]].next = index;
    }
    tails[field] = index;
    return true;
}

// MARK: - Members

apus_json_status apus_json_decoder::find_members(const uint8_t *bytes, size_t length) noexcept {
    members.clear();
    const auto offset = [&](const uint8_t *place) noexcept {
        return size_t(place - structure.text()) + structure.skipped();
    };
    return read(bytes, length, [&](Walker &walker) noexcept {
        return walker.take_object(1, [&](Text key) noexcept {
            const size_t start = offset(walker.position());
            if (!walker.skip_value(2)) { return false; }
            const size_t end = offset(walker.end_of_last_token());
            return members.append({offset(key.begin), key.length, start, end - start})
                || walker.fail(APUS_JSON_NO_MEMORY);
        });
    });
}

// MARK: - C interface

apus_json_decoder *apus_json_decoder_create(const apus_json_field *fields, uint16_t count, apus_json_limits limits,
                                            apus_json_record *record) noexcept {
    try {
        auto *const decoder = new apus_json_decoder(fields, count, limits);
        *record = decoder->record();
        return decoder;
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

void apus_json_decoder_destroy(apus_json_decoder *decoder) noexcept { delete decoder; }

apus_json_status apus_json_decode(apus_json_decoder *decoder, const uint8_t *bytes, size_t length,
                                  apus_json_record *record) noexcept {
    const apus_json_status status = decoder->decode(bytes, length);
    if (status == APUS_JSON_OK) { *record = decoder->record(); }
    return status;
}

apus_json_status apus_json_alias(apus_json_decoder *decoder, uint16_t target, apus_json_value source,
                                 apus_json_record *record) noexcept {
    if (!decoder->append(target, apus_json_kind(source.kind), source.bits, source.length)) {
        return APUS_JSON_NO_MEMORY;
    }
    *record = decoder->record();
    return APUS_JSON_OK;
}

uint8_t *apus_json_room(apus_json_decoder *decoder, size_t length) noexcept {
    uint8_t *const bytes = decoder->room.give(length + 1);
    if (bytes != nullptr) { bytes[length] = 0; }
    return bytes;
}

apus_json_status apus_json_give(apus_json_decoder *decoder, uint16_t target, const uint8_t *text, size_t length,
                                apus_json_record *record) noexcept {
    if (!decoder->append(target, Text{const_cast<uint8_t *>(text), length})) { return APUS_JSON_NO_MEMORY; }
    *record = decoder->record();
    return APUS_JSON_OK;
}

void apus_json_take_away(apus_json_decoder *decoder, uint16_t target) noexcept {
    decoder->heads[target] = APUS_JSON_NONE;
}

apus_json_status apus_json_members(apus_json_decoder *decoder, const uint8_t *bytes, size_t length,
                                   const apus_json_member **members, size_t *count) noexcept {
    const apus_json_status status = decoder->find_members(bytes, length);
    if (status == APUS_JSON_OK) {
        *members = decoder->members.data();
        *count = decoder->members.count();
    }
    return status;
}

size_t apus_json_unescape(const uint8_t *bytes, size_t length, uint8_t *output) noexcept {
    return unescape(bytes, length, output);
}

size_t apus_json_minify(const uint8_t *bytes, size_t length, uint8_t *output) noexcept {
    size_t written = 0;
    const auto error = simdjson::minify(reinterpret_cast<const char *>(bytes), length,
                                        reinterpret_cast<char *>(output), written);
    return error == simdjson::SUCCESS ? written : SIZE_MAX;
}
