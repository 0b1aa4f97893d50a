/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/fw_look.h"

#include <string.h>
#include <strings.h>

#define NAMES_SHOWN_MAX 3

static const char *
base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

/* Not what macOS adds, and no folder. */
static bool
is_file(const char *name)
{
	const char *base = base_of(name);

	return base[0] != '\0' && strncmp(base, "._", 2) != 0 && strncmp(name, "__MACOSX/", 9) != 0;
}

static bool
has_ending(const char *name, const char *ending)
{
	size_t n = strlen(name), e = strlen(ending);

	return n > e && strcasecmp(name + n - e, ending) == 0;
}

static bool
is_manifest(const char *name)
{
	return is_file(name) && strcasecmp(base_of(name), "manifest.json") == 0;
}

static bool
is_archive(const char *name)
{
	return is_file(name) && has_ending(name, ".zip");
}

static bool
is_firmware(const char *name)
{
	return is_file(name) &&
	       (has_ending(name, ".bin") || has_ending(name, ".hex") || has_ending(name, ".dfu"));
}

static unsigned
depth_of(const char *name)
{
	unsigned depth = 0;

	for (; *name != '\0'; name++)
		depth += *name == '/';
	return depth;
}

/* Members of a kind, only those that lie least deep; the last of them. */
static size_t
count(const struct fw_zip *z, bool (*is)(const char *name), size_t *ret_index)
{
	unsigned least = UINT32_MAX;
	size_t n = 0;

	for (size_t i = 0; i < z->count; i++) {
		unsigned depth = depth_of(z->names[i]);

		if (!is(z->names[i]) || depth > least)
			continue;
		n = depth < least ? 1 : n + 1;
		least = depth;
		*ret_index = i;
	}
	return n;
}

/* "a.bin, b.bin and others" */
static void
list(const struct fw_zip *z, bool (*is)(const char *name), char *dst, size_t size)
{
	size_t n = 0, used = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < z->count && n <= NAMES_SHOWN_MAX; i++) {
		char name[41];

		if (!is(z->names[i]))
			continue;
		fw_clean_text(name, sizeof(name), z->names[i], sizeof(z->names[i]));
		if (n++ == NAMES_SHOWN_MAX)
			copy_text(dst + used, size - used, " and others");
		else
			used += (size_t)snprintf(dst + used, size - used, "%s%s",
						 used > 0 ? ", " : "", name);
	}
}

static int
refuse(struct fw_loading *l, const struct fw_zip *z, bool (*is)(const char *name), const char *what)
{
	char names[NAMES_SHOWN_MAX * 44 + 16];

	list(z, is, names, sizeof(names));
	return fw_refuse(l, 0, "zip archive with %s (%s): unpack it and give one of them", what,
			 names);
}

int
fw_look_for_release(struct fw_loading *l, const struct fw_zip *z, size_t *ret_index)
{
	size_t other, manifests = count(z, is_manifest, ret_index);

	if (manifests == 1)
		return FW_LOOK_MANIFEST;
	if (manifests > 1)
		return refuse(l, z, is_manifest, "several releases in it");
	switch (count(z, is_archive, ret_index)) {
	case 1:
		return FW_LOOK_ARCHIVE;
	case 0:
		break;
	default:
		return refuse(l, z, is_archive, "several archives in it");
	}
	if (count(z, is_firmware, &other) > 0)
		return refuse(l, z, is_firmware,
			      "firmware in it, but without manifest.json, so no Bitcraze release");
	return fw_refuse(l, 0, "zip archive without manifest.json: not a Bitcraze release");
}

bool
fw_look_beside(const struct fw_zip *z, size_t index, const char *name, size_t *ret_index)
{
	size_t folder = (size_t)(base_of(z->names[index]) - z->names[index]), found = 0;

	for (size_t i = 0; i < z->count; i++) {
		const char *other = z->names[i];

		if (strncmp(other, z->names[index], folder) != 0 ||
		    strcasecmp(other + folder, name) != 0)
			continue;
		*ret_index = i;
		if (strcmp(other + folder, name) == 0)
			return true;
		found++;
	}
	return found == 1;
}
