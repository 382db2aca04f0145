#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace apus {

/// Memory that only grows, in powers of two, and says so instead of throwing when there is none.
template <typename Element>
class Buffer {
public:
    Element *data() const noexcept { return elements_.get(); }
    size_t count() const noexcept { return count_; }
    void clear() noexcept { count_ = 0; }
    Element &operator[](size_t index) const noexcept { return elements_.get()[index]; }

    [[nodiscard]] bool reserve(size_t wanted) noexcept {
        if (wanted <= capacity_) { return true; }
        size_t capacity = capacity_ == 0 ? 64 : capacity_;
        while (capacity < wanted) { capacity *= 2; }
        auto *grown = static_cast<Element *>(std::realloc(elements_.get(), capacity * sizeof(Element)));
        if (grown == nullptr) { return false; }
        (void)elements_.release();
        elements_.reset(grown);
        capacity_ = capacity;
        return true;
    }

    [[nodiscard]] bool append(const Element &element) noexcept {
        if (count_ == capacity_ && !reserve(count_ + 1)) { return false; }
        elements_.get()[count_++] = element;
        return true;
    }

private:
    struct Free {
        void operator()(void *memory) const noexcept { std::free(memory); }
    };

    std::unique_ptr<Element, Free> elements_;
    size_t count_ = 0;
    size_t capacity_ = 0;
};

} // namespace apus
