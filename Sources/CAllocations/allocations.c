#include "allocations.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>

// glibc's allocator under the names it keeps for wrappers like this one. `free` is left alone.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// initial-exec: reading it may not allocate, and this is always part of an executable.
static _Thread_local uint64_t count __attribute__((tls_model("initial-exec")));

uint64_t apus_allocation_count(void) { return count; }

void apus_return_free_memory(void) { malloc_trim(0); }

void *malloc(size_t size) {
    ++count;
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    ++count;
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    ++count;
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    ++count;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    ++count;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0) { return EINVAL; }
    ++count;
    void *const block = __libc_memalign(alignment, size);
    if (block == NULL) { return ENOMEM; }
    *memory = block;
    return 0;
}
