/* SPDX-License-Identifier: MIT */
/*
 * Shared by the fuzzers.  Each fuzz_<parser>.c defines libFuzzer's entry point; linked with
 * replay.c instead of libFuzzer it runs over the files of corpus/<parser>/ in `make check`.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fw_input;

/*
 * Loads, judges (as application, as loader, for another device), makes a DfuSe file of what was
 * accepted and loads that: aborts when anything contradicts anything.  True when the input was
 * accepted.
 */
bool fuzz_file(const struct fw_input *in);

#endif
