#ifndef DK_FUZZ_FUZZ_H
#define DK_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The entry point that libFuzzer and fuzz/replay.c call; returns 0.  A target
 * aborts when an invariant does not hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
