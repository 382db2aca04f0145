#include "structure.hpp"

namespace apus {

apus_json_status Structure::load(const uint8_t *bytes, size_t length, size_t limit) noexcept {
    if (length > limit) { return APUS_JSON_TOO_LARGE; }
    skipped_ = length >= 3 && std::memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    length -= skipped_;
    if (length == 0) { return APUS_JSON_NOT_JSON; }
    if (!bytes_.reserve(length + simdjson::SIMDJSON_PADDING)) { return APUS_JSON_NO_MEMORY; }
    std::memcpy(bytes_.data(), bytes + skipped_, length);
    std::memset(bytes_.data() + length, 0, simdjson::SIMDJSON_PADDING);

    if (stage_ == nullptr || stage_->capacity() < length) {
        size_t capacity = 4096;
        while (capacity < length) { capacity *= 2; }
        const auto error = stage_ == nullptr
            ? simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, stage_)
            : stage_->set_capacity(capacity);
        if (error != simdjson::SUCCESS) {
            stage_.reset();
            return APUS_JSON_NO_MEMORY;
        }
    }
    switch (stage_->stage1(bytes_.data(), length, simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS: return escapes_are_valid(text(), length) ? APUS_JSON_OK : APUS_JSON_NOT_JSON;
    case simdjson::UTF8_ERROR: return APUS_JSON_INVALID_UTF8;
    default: return APUS_JSON_NOT_JSON;
    }
}

bool Walker::skip_other(size_t depth) noexcept {
    switch (peek()) {
    case '{':
        return take_object(depth, [&](Text) noexcept { return skip_value(depth + 1); });
    case '[':
        return take_array(depth, [&]() noexcept { return skip_value(depth + 1); });
    default:
        const Text token = take_scalar();
        if (literal_of(token) != Literal::none || json_number_form(token) != Number::none) { return true; }
        return fail(APUS_JSON_NOT_JSON);
    }
}

Literal literal_of(Text token) noexcept {
    const auto is = [&](const char *word, size_t length) noexcept {
        return token.length == length && std::memcmp(token.begin, word, length) == 0;
    };
    switch (*token.begin) {
    case 'n': return is("null", 4) ? Literal::null : Literal::none;
    case 'f': return is("false", 5) ? Literal::false_ : Literal::none;
    case 't': return is("true", 4) ? Literal::true_ : Literal::none;
    default: return Literal::none;
    }
}

} // namespace apus
