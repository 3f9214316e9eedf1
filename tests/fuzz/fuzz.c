/* fuzz.c - one target under clang's fuzzer; TARGET is its number in TARGETS. */
#include "targets.h"

#ifndef TARGET
#define TARGET 0
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TARGETS[TARGET].run(data, size);
    return 0;
}
