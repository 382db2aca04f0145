/// Counts allocations of the calling thread. Linked into an executable, it stands in front of glibc's
/// allocator for the whole process, libraries included. For benchmarks and tests only.
#ifndef APUS_ALLOCATIONS_H
#define APUS_ALLOCATIONS_H

#include <stdint.h>

/// Calls of malloc, calloc, realloc and the aligned ones by this thread so far.
uint64_t apus_allocation_count(void);

/// Gives whole pages without a live allocation back to the system: what is resident then is what is in use.
void apus_return_free_memory(void);

#endif
