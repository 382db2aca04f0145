/// Counts the instructions a piece of work takes. For tests only.
#ifndef APUS_INSTRUCTIONS_H
#define APUS_INSTRUCTIONS_H

#include <stdint.h>

/// Whether this processor and system can be asked; it is tried once, on a loop whose instructions are known.
int apus_counts_instructions(void);

/// The instructions of this thread in `body(context)`, those of the kernel left out; 0 where they cannot be counted.
///
/// Needs no hardware counter, which virtual machines seldom have: the processor's trap flag stops behind each
/// instruction, and a signal handler counts. That makes it exact, the same each time in a process that does nothing else,
/// and some ten thousand times slower than running, so `body` has to be small. Not for several threads at once: SIGTRAP is the process's.
uint64_t apus_count_instructions(void (*body)(void *), void *context);

#endif
