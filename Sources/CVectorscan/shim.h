#ifndef APUS_CVECTORSCAN_SHIM_H
#define APUS_CVECTORSCAN_SHIM_H

#include <hs/hs.h>
#include <stddef.h>

/// The C library declares it for GNU sources only. Linear in the length of the haystack, also at worst.
void *memmem(const void *haystack, size_t haystack_length, const void *needle, size_t needle_length);

#endif
