/* SPDX-License-Identifier: MIT */
/* Bitcraze's release zip (doc/protocol.md 9.1): the manifest's word on which member is the STM32's
 * firmware. */
#include "config.h"

#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#include "core/platform.h"
#include "firmware/fw_zip.h"

#define MANIFEST "manifest.json"
#define MANIFEST_BYTES_MAX 65536U		    /* LIMIT: real ones have some 3,000 */
#define IMAGE_MEMBER_BYTES_MAX (2U * 1024U * 1024U) /* LIMIT: twice what an STM32F405 holds */
#define NAMES_SHOWN_MAX 3

/* ---- where the release is: at the top, in a folder around everything, in an archive ---------- */

enum look {
	LOOK_MANIFEST = 1, /* the member is the manifest of the one release in it */
	LOOK_ARCHIVE,	   /* ... the one archive in it */
};

/* Not what macOS adds, and no folder. */
static bool
is_file(const char *name)
{
	const char *base = fw_zip_base(name);

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
	return is_file(name) && strcasecmp(fw_zip_base(name), "manifest.json") == 0;
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
count_least_deep(const struct fw_zip *z, bool (*is)(const char *name), size_t *ret_index)
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
list_names(const struct fw_zip *z, bool (*is)(const char *name), char *dst, size_t size)
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
refuse_several(struct fw_loading *l, const struct fw_zip *z, bool (*is)(const char *name),
	       const char *what)
{
	char names[NAMES_SHOWN_MAX * 44 + 16];

	list_names(z, is, names, sizeof(names));
	return fw_refuse(l, 0, "zip archive with %s (%s): unpack it and give one of them", what,
			 names);
}

/* An enum look and the member; or a refusal that says what the archive holds. */
static int
look_for_release(struct fw_loading *l, const struct fw_zip *z, size_t *ret_index)
{
	size_t other, manifests = count_least_deep(z, is_manifest, ret_index);

	if (manifests == 1)
		return LOOK_MANIFEST;
	if (manifests > 1)
		return refuse_several(l, z, is_manifest, "several releases in it");
	switch (count_least_deep(z, is_archive, ret_index)) {
	case 1:
		return LOOK_ARCHIVE;
	case 0:
		break;
	default:
		return refuse_several(l, z, is_archive, "several archives in it");
	}
	if (count_least_deep(z, is_firmware, &other) > 0)
		return refuse_several(
		    l, z, is_firmware,
		    "firmware in it, but without manifest.json, so no Bitcraze release");
	return fw_refuse(l, 0, "zip archive without manifest.json: not a Bitcraze release");
}

/* ---- the manifest ---------------------------------------------------------------------------- */

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void
take_text(char *dst, size_t size, const char *text)
{
	fw_clean_text(dst, size, text, strlen(text));
}

/* target is a text, or a list of texts. */
static bool
has_target(const json_t *file, const char *wanted)
{
	const json_t *target = json_object_get(file, "target");
	const json_t *item;
	size_t i;

	if (json_is_string(target))
		return strcmp(json_string_value(target), wanted) == 0;
	json_array_foreach(target, i, item)
		if (json_is_string(item) && strcmp(json_string_value(item), wanted) == 0)
			return true;
	return false;
}

static int
take_stm32(struct fw_loading *l, const char *name, const json_t *file)
{
	struct fw_release_facts *f = &l->facts->release;

	if (f->stm32_file[0] != '\0')
		return fw_refuse(l, 0,
				 MANIFEST ": two STM32 firmware files, \"%s\" and another; "
					  "exactly one expected",
				 f->stm32_file);
	if (strlen(name) >= sizeof(f->stm32_file) || name[0] == '\0')
		return fw_refuse(l, 0,
				 MANIFEST ": the STM32 firmware's file name has %zu characters, "
					  "expected 1 to %zu",
				 strlen(name), sizeof(f->stm32_file) - 1);
	take_text(f->stm32_file, sizeof(f->stm32_file), name);
	take_text(f->stm32_release, sizeof(f->stm32_release), text_of(file, "release"));
	return 0;
}

static int
take_file(struct fw_loading *l, const char *name, const json_t *file)
{
	struct fw_release_facts *f = &l->facts->release;
	const char *platform = text_of(file, "platform"), *type = text_of(file, "type");

	if (!json_is_object(file))
		return fw_refuse(l, 0, MANIFEST ": an entry of \"files\" is not an object");
	if (strcmp(platform, "deck") == 0) {
		f->deck_files++;
		fw_parts_note(l->facts, name, file);
	} else if (strcmp(platform, "cf2") == 0 && has_target(file, "stm32") &&
		   strcmp(type, "fw") == 0) {
		return take_stm32(l, name, file);
	} else if (strcmp(platform, "cf2") == 0 && has_target(file, "nrf51")) {
		f->nrf = true;
		fw_parts_note(l->facts, name, file);
		if (strcmp(type, "fw") == 0)
			take_text(f->nrf_release, sizeof(f->nrf_release), text_of(file, "release"));
	}
	return 0;
}

static int
take_version(struct fw_loading *l, const json_t *manifest)
{
	const json_t *version = json_object_get(manifest, "version");
	json_int_t v = json_integer_value(version);

	if (!json_is_integer(version))
		return fw_refuse(l, 0, MANIFEST ": has no number as \"version\"");
	if (v != 1 && v != 2)
		return fw_refuse(l, 0,
				 MANIFEST ": version is %" JSON_INTEGER_FORMAT
					  ", but only versions 1 and 2 are understood",
				 v);
	l->facts->release.manifest_version = (int)v;
	return 0;
}

static int
take_platform(struct fw_loading *l, const json_t *manifest)
{
	struct fw_release_facts *f = &l->facts->release;
	const json_t *platform = json_object_get(manifest, "fw_platform");

	if (platform == NULL) {
		/* doc/protocol.md 9.1: absent before 2019. */
		fw_warn(l->facts, MANIFEST " names no fw_platform (it is older than 2019)");
		return 0;
	}
	take_text(f->fw_platform, sizeof(f->fw_platform), text_of(manifest, "fw_platform"));
	f->platform = platform_by_name(json_string_value(platform));
	if (f->platform == PLATFORM_UNKNOWN || f->platform == PLATFORM_OTHER)
		return fw_refuse(l, 0,
				 MANIFEST ": fw_platform is \"%s\", expected cf2, cf21bl, bolt, "
					  "tag or flapper",
				 f->fw_platform);
	return 0;
}

/* SPEC: crazyflie-release, tools/build/generate_manifest and src/manifest_template.json: version,
 * fw_platform, release and files stand at the top, in every release since 2014. */
static int
read_manifest(struct fw_loading *l, json_t *manifest)
{
	json_t *files = json_object_get(manifest, "files"), *file;
	const char *name;
	int r;

	if (!json_is_object(manifest))
		return fw_refuse(l, 0, MANIFEST ": is not a JSON object");
	if (files == NULL && json_is_object(json_object_get(manifest, "manifest")))
		return fw_refuse(l, 0,
				 MANIFEST ": \"files\" stands inside of an object \"manifest\"; "
					  "in a Bitcraze release it stands at the top");
	r = take_version(l, manifest);
	if (r == 0 && !json_is_object(files))
		r = fw_refuse(l, 0, MANIFEST ": has no object \"files\"");
	if (r == 0)
		r = take_platform(l, manifest);
	if (r < 0)
		return r;
	take_text(l->facts->release.release, sizeof(l->facts->release.release),
		  text_of(manifest, "release"));
	json_object_foreach(files, name, file) {
		r = take_file(l, name, file);
		if (r < 0)
			return r;
	}
	if (l->facts->release.stm32_file[0] == '\0')
		return fw_refuse(l, 0,
				 MANIFEST ": no STM32 firmware in it (platform cf2, target stm32, "
					  "type fw)");
	return 0;
}

/* QUIRK: editors on Windows put a byte order mark before it. */
static json_t *
parse_manifest(const struct fw_member *m, json_error_t *error)
{
	size_t mark = m->size >= 3 && memcmp(m->bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

	return json_loadb((const char *)m->bytes + mark, m->size - mark, JSON_REJECT_DUPLICATES,
			  error);
}

static int
load_manifest(struct fw_loading *l, struct fw_zip *z, size_t index)
{
	struct fw_member member;
	json_error_t error;
	char words[120];
	json_t *root;
	int r = fw_zip_read(l, z, index, MANIFEST_BYTES_MAX, &member);

	if (r < 0)
		return r;
	root = parse_manifest(&member, &error);
	free(member.bytes);
	if (root == NULL) {
		fw_clean_text(words, sizeof(words), error.text, sizeof(error.text));
		return fw_refuse(l, error.position > 0 ? (size_t)error.position : 0,
				 MANIFEST ", line %d: %s", error.line, words);
	}
	r = read_manifest(l, root);
	json_decref(root);
	return r;
}

/* Once and in one line: every release has such parts, and none of them is a reason for alarm. */
static void
note_rest(struct fw_loading *l)
{
	const struct fw_release_facts *f = &l->facts->release;
	char decks[48] = "";

	if (f->deck_files > 0)
		snprintf(decks, sizeof(decks), "%s%u deck firmware file%s", f->nrf ? " and " : "",
			 f->deck_files, f->deck_files == 1 ? "" : "s");
	if (f->nrf || f->deck_files > 0)
		fw_warn(l->facts, "DFU mode installs the STM32's part; beside it: %s%s%s%s%s",
			f->nrf ? "the nRF51's firmware" : "", f->nrf_release[0] != '\0' ? " " : "",
			f->nrf_release, f->nrf ? " (by radio only)" : "", decks);
}

/* A plain binary, with or without a suffix; anything else does not belong there. */
static int
load_member(struct fw_loading *l)
{
	enum fw_format format = fw_sniff(l->data, l->size);

	if (format != FW_RAW && format != FW_DFU)
		return fw_refuse(l, 0, "zip member \"%s\": expected a plain binary, found %s",
				 l->facts->release.stm32_file, fw_format_words(format));
	return format == FW_DFU ? fw_load_dfu(l) : fw_load_raw(l);
}

/* The member that the manifest names, beside the manifest. */
static int
load_stm32(struct fw_loading *l, struct fw_zip *z, size_t manifest)
{
	const char *file = l->facts->release.stm32_file;
	struct fw_member member;
	size_t index;
	int r;

	if (!fw_zip_beside(z, manifest, file, &index))
		return fw_refuse(l, 0, MANIFEST " names \"%s\", which is not in the archive", file);
	r = fw_zip_read(l, z, index, IMAGE_MEMBER_BYTES_MAX, &member);
	if (r < 0)
		return r;
	l->data = l->bytes = member.bytes;
	l->size = member.size;
	l->addr = FW_ADDR_DEFAULT;
	note_rest(l);
	r = load_member(l);
	return r < 0 ? r : fw_parts_load(l, z, manifest);
}

/*
 * The release in l->data, or in the one archive in it: what a build's page gives away is a zip with
 * the release's zip in it.  inner: this is one in an archive.
 */
static int
load_archive(struct fw_loading *l, bool inner)
{
	struct fw_member member = { NULL, 0 };
	struct fw_zip *z = NULL;
	size_t index = 0;
	int r = fw_zip_open(l, &z);

	if (r == 0)
		r = look_for_release(l, z, &index);
	if (r == LOOK_MANIFEST) {
		r = load_manifest(l, z, index);
		if (r == 0)
			r = load_stm32(l, z, index);
	} else if (r == LOOK_ARCHIVE && inner) {
		r = fw_refuse(l, 0, "zip archive in a zip archive in a zip archive: unpack it");
	} else if (r == LOOK_ARCHIVE) {
		r = fw_zip_read(l, z, index, FW_ZIP_INNER_BYTES_MAX, &member);
		if (r == 0) {
			l->data = member.bytes;
			l->size = member.size;
			r = load_archive(l, true);
		}
	}
	fw_zip_close(z);
	free(member.bytes); /* the image's bytes are a copy by now */
	return r;
}

int
fw_load_release(struct fw_loading *l)
{
	return load_archive(l, false);
}
