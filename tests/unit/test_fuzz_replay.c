/* test_fuzz_replay.c - the corpus of the fuzz targets as a plain test. */
#include "../fuzz/replay.c"
