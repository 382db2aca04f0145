// Escapes are resolved here and not by simdjson, whose parsers refuse lone surrogates (RFC 8259, section
// 8.2, leaves them to the reader): one `\ud800` in a needed field must not hide the record from detection.

#include "text.hpp"

namespace apus {

namespace {

/// The value of four hexadecimal digits, or -1.
int32_t hex4(const uint8_t *digits) noexcept {
    int32_t value = 0;
    for (int index = 0; index < 4; ++index) {
        const uint8_t byte = digits[index];
        int32_t digit;
        if (byte >= '0' && byte <= '9') {
            digit = byte - '0';
        } else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f') {
            digit = (byte | 0x20) - 'a' + 10;
        } else {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

uint8_t *write_utf8(uint32_t scalar, uint8_t *output) noexcept {
    if (scalar < 0x80) {
        *output++ = uint8_t(scalar);
    } else if (scalar < 0x800) {
        *output++ = uint8_t(0xC0 | scalar >> 6);
        *output++ = uint8_t(0x80 | (scalar & 0x3F));
    } else if (scalar < 0x10000) {
        *output++ = uint8_t(0xE0 | scalar >> 12);
        *output++ = uint8_t(0x80 | (scalar >> 6 & 0x3F));
        *output++ = uint8_t(0x80 | (scalar & 0x3F));
    } else {
        *output++ = uint8_t(0xF0 | scalar >> 18);
        *output++ = uint8_t(0x80 | (scalar >> 12 & 0x3F));
        *output++ = uint8_t(0x80 | (scalar >> 6 & 0x3F));
        *output++ = uint8_t(0x80 | (scalar & 0x3F));
    }
    return output;
}

bool is_high_surrogate(int32_t unit) noexcept { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(int32_t unit) noexcept { return unit >= 0xDC00 && unit < 0xE000; }

/// What a one-letter escape stands for, or 0.
uint8_t short_escape(uint8_t letter) noexcept {
    switch (letter) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

/// The next backslash, or nullptr. In Windows paths it is near: a call for each of them takes longer than looking at
/// the next words (3 % of the time of decoding, 2026-11-30).
const uint8_t *next_backslash(const uint8_t *bytes, const uint8_t *end) noexcept {
    for (int count = 0; count < 3; ++count, bytes += 8) {
        if (bytes >= end) { return nullptr; }
        const uint64_t places = places_of_byte(load_word(bytes, 8), '\\');
        if (places == 0) { continue; }
        const uint8_t *const place = bytes + __builtin_ctzll(places) / 8;
        return place < end ? place : nullptr;
    }
    return bytes < end ? static_cast<const uint8_t *>(std::memchr(bytes, '\\', size_t(end - bytes))) : nullptr;
}

} // namespace

bool escapes_are_valid(const uint8_t *bytes, size_t length) noexcept {
    const uint8_t *const end = bytes + length;
    while (bytes < end) {
        bytes = next_backslash(bytes, end);
        if (bytes == nullptr) { break; }
        if (end - bytes < 2) { return false; }
        if (short_escape(bytes[1]) != 0) {
            bytes += 2;
        } else if (bytes[1] == 'u' && end - bytes >= 6 && hex4(bytes + 2) >= 0) {
            bytes += 6;
        } else {
            return false;
        }
    }
    return true;
}

size_t unescape(const uint8_t *bytes, size_t length, uint8_t *output) noexcept {
    const uint8_t *const end = bytes + length;
    uint8_t *const start = output;
    while (bytes < end) {
        const auto *escape = static_cast<const uint8_t *>(std::memchr(bytes, '\\', size_t(end - bytes)));
        const size_t plain = size_t((escape == nullptr ? end : escape) - bytes);
        std::memmove(output, bytes, plain);
        output += plain;
        bytes += plain;
        if (bytes == end) { break; }
        if (end - bytes < 2) { return SIZE_MAX; }
        if (bytes[1] != 'u') {
            const uint8_t resolved = short_escape(bytes[1]);
            if (resolved == 0) { return SIZE_MAX; }
            *output++ = resolved;
            bytes += 2;
            continue;
        }
        const int32_t unit = end - bytes >= 6 ? hex4(bytes + 2) : -1;
        if (unit < 0) { return SIZE_MAX; }
        bytes += 6;
        uint32_t scalar = uint32_t(unit);
        if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
            const bool has_next = end - bytes >= 6 && bytes[0] == '\\' && bytes[1] == 'u';
            const int32_t low = has_next ? hex4(bytes + 2) : -1;
            scalar = 0xFFFD;
            if (is_high_surrogate(unit) && is_low_surrogate(low)) {
                scalar = 0x10000 + (uint32_t(unit - 0xD800) << 10) + uint32_t(low - 0xDC00);
                bytes += 6;
            }
        }
        output = write_utf8(scalar, output);
    }
    return size_t(output - start);
}

} // namespace apus
