#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace apus {

/// Borrowed bytes inside a padded buffer: reading 8 bytes from any of its positions is safe.
struct Text {
    uint8_t *begin;
    size_t length;

    uint8_t *end() const noexcept { return begin + length; }
};

inline bool is_blank(uint8_t byte) noexcept {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/// The `length` bytes at `bytes`, at most eight, as a little-endian number.
inline uint64_t load_word(const uint8_t *bytes, size_t length) noexcept {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return length >= 8 ? word : word & ((uint64_t(1) << (8 * length)) - 1);
}

/// The bits of the first `byte` in `word`, little-endian, are set in the result, or none; bits above it mean nothing.
inline uint64_t places_of_byte(uint64_t word, uint8_t byte) noexcept {
    constexpr uint64_t ones = 0x0101010101010101;
    const uint64_t zeroed = word ^ (ones * byte);
    return (zeroed - ones) & ~zeroed & (ones << 7);
}

inline bool has_byte(uint64_t word, uint8_t byte) noexcept { return places_of_byte(word, byte) != 0; }

inline bool has_dot_or_escape(uint64_t word) noexcept { return has_byte(word, '.') || has_byte(word, '\\'); }

/// Whether a key is more than one plain segment: it has a dot or an escape. `head` is its first word.
inline bool has_dot_or_escape(Text key, uint64_t head) noexcept {
    if (has_dot_or_escape(head)) { return true; }
    for (size_t offset = 8; offset < key.length; offset += 8) {
        if (has_dot_or_escape(load_word(key.begin + offset, key.length - offset))) { return true; }
    }
    return false;
}

inline bool has_escape(Text text) noexcept {
    return std::memchr(text.begin, '\\', text.length) != nullptr;
}

/// Whether every backslash begins an escape JSON knows. Backslashes outside strings are not told apart. `bytes` stand in a
/// padded buffer.
bool escapes_are_valid(const uint8_t *bytes, size_t length) noexcept;

/// See apus_json_unescape. `output` may be `bytes`: the result is never longer than what is read.
size_t unescape(const uint8_t *bytes, size_t length, uint8_t *output) noexcept;

} // namespace apus
