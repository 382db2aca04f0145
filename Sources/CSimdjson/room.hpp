#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace apus {

/// Memory given out in pieces that stay where they are until all are taken back at once. It keeps what it got from the
/// system for the next time.
class Room {
public:
    Room() noexcept = default;
    Room(const Room &) = delete;
    Room &operator=(const Room &) = delete;
    ~Room() {
        while (first_ != nullptr) {
            Block *const next = first_->next;
            std::free(first_);
            first_ = next;
        }
    }

    void take_back() noexcept {
        current_ = first_;
        used_ = 0;
    }

    /// nullptr when memory is short.
    [[nodiscard]] uint8_t *give(size_t length) noexcept {
        if (current_ == nullptr || current_->capacity - used_ < length) {
            if (!move_on(length)) { return nullptr; }
        }
        uint8_t *const piece = current_->bytes() + used_;
        used_ += length;
        return piece;
    }

private:
    struct Block {
        Block *next;
        size_t capacity;
        uint8_t *bytes() noexcept { return reinterpret_cast<uint8_t *>(this + 1); }
    };

    /// The next block that is large enough becomes the current one; smaller ones on the way rest for this record.
    bool move_on(size_t length) noexcept {
        Block **link = current_ == nullptr ? &first_ : &current_->next;
        while (*link != nullptr && (*link)->capacity < length) { link = &(*link)->next; }
        if (*link == nullptr) {
            const size_t capacity = length > smallest ? length : smallest;
            auto *const block = static_cast<Block *>(std::malloc(sizeof(Block) + capacity));
            if (block == nullptr) { return false; }
            block->next = nullptr;
            block->capacity = capacity;
            *link = block;
        }
        current_ = *link;
        used_ = 0;
        return true;
    }

    static constexpr size_t smallest = 16 * 1024;

    Block *first_ = nullptr;
    Block *current_ = nullptr;
    size_t used_ = 0;
};

} // namespace apus
