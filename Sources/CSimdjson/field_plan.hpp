#pragma once

#include "apus_json.h"
#include "text.hpp"

#include <string>
#include <vector>

namespace apus {

/// The needed fields as a tree of path segments. Immutable once built.
class FieldPlan {
public:
    static constexpr uint32_t none = UINT32_MAX;

    struct Node {
        uint32_t field = none;
        apus_json_coercion coercion = APUS_JSON_DYNAMIC;
        /// Its slots: as many as a power of two, or none.
        uint32_t first_slot = 0;
        uint32_t slot_count = 0;
        bool has_children() const noexcept { return slot_count != 0; }
    };

    /// Throws std::bad_alloc.
    FieldPlan(const apus_json_field *fields, uint16_t count);

    const Node *root() const noexcept { return nodes_.data(); }

    /// The node one segment below `node`, or nullptr. `head` is the segment's first word.
    const Node *child(const Node *node, Text segment, uint64_t head) const noexcept {
        if (!node->has_children()) { return nullptr; }
        const Slot *const slots = slots_.data() + node->first_slot;
        const size_t mask = node->slot_count - 1;
        for (size_t index = hash(head, segment.length) & mask;; index = (index + 1) & mask) {
            const Slot &slot = slots[index];
            if (slot.child == none) { return nullptr; }
            if (slot.head == head && slot.length == segment.length
                && (segment.length <= 8
                    || std::memcmp(tails_.data() + slot.tail, segment.begin + 8, segment.length - 8) == 0)) {
                return &nodes_[slot.child];
            }
        }
    }

    /// The node a key names, which may hold several segments joined by dots, or nullptr.
    const Node *descendant(const Node *node, Text key) const noexcept;

private:
    static size_t hash(uint64_t head, size_t length) noexcept {
        return size_t(((head ^ length) * 0x9E3779B97F4A7C15) >> 40);
    }

    /// Open addressing, at most half full; a slot without child is empty. Most
    /// keys of a record are looked up in vain, and what they touch should be small.
    struct Slot {
        uint64_t head = 0;
        uint32_t length = 0;
        uint32_t child = none;
        /// Where the bytes of the segment behind the first eight stand.
        uint32_t tail = 0;
    };

    std::vector<Node> nodes_;
    /// Of all nodes.
    std::vector<Slot> slots_;
    std::string tails_;
};

} // namespace apus
