/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzzer's entry point over files and folders of files: those named, or with none the corpus
 * that is named as the program, fuzz_NAME, below $srcdir.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1024L * 1024L)

static bool
run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 ||
	    size > FILE_BYTES_MAX) {
		fprintf(stderr, "%s: cannot be read\n", path);
		if (f != NULL)
			(void)fclose(f); /* read only */
		return false;
	}
	rewind(f);
	bytes = malloc(size > 0 ? (size_t)size : 1); /* exactly: the sanitizer sees one byte more */
	if (bytes == NULL || fread(bytes, 1, (size_t)size, f) != (size_t)size) {
		fprintf(stderr, "%s: cannot be read\n", path);
		free(bytes);
		(void)fclose(f); /* read only */
		return false;
	}
	(void)fclose(f);				   /* read only */
	(void)LLVMFuzzerTestOneInput(bytes, (size_t)size); /* always 0 */
	free(bytes);
	return true;
}

static bool
run_folder(const char *path, unsigned *count)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	bool good = true;

	if (d == NULL) { /* a file, then */
		++*count;
		return run_file(path);
	}
	while ((entry = readdir(d)) != NULL) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >=
		    sizeof(name))
			good = false;
		else
			good &= run_file(name);
		++*count;
	}
	closedir(d);
	return good;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir"), *name = strrchr(program_invocation_short_name, '_');
	char path[4096];
	unsigned count = 0;
	bool good = true;

	for (int i = 1; i < argc; i++)
		good &= run_folder(argv[i], &count);
	if (argc < 2) {
		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
			 srcdir != NULL ? srcdir : ".", name != NULL ? name + 1 : "");
		good = run_folder(path, &count);
	}
	printf("%u inputs\n", count);
	return good && count > 0 ? 0 : 1;
}
