/* SPDX-License-Identifier: MIT */
/* Unpacks members of checked archives with libzip. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>
#include <zip.h>

#include "firmware/fw_zip.h"

/* The file is read to its very end, where libzip compares the CRC. */
static int
unpack(struct fw_loading *l, zip_file_t *f, const char *name, uint8_t *bytes, size_t size)
{
	uint8_t beyond;

	if (zip_fread(f, bytes, size) != (zip_int64_t)size || zip_fread(f, &beyond, 1) != 0)
		return fw_refuse(l, 0, "zip member \"%s\": is damaged (%s)", name,
				 zip_error_strerror(zip_file_get_error(f)));
	return 0;
}

int
fw_zip_open(struct fw_loading *l, struct fw_zip **ret_zip)
{
	zip_source_t *source;
	struct fw_zip *z;
	int r = fw_zip_check(l);

	if (r < 0)
		return r;
	z = calloc(1, sizeof(*z));
	if (z == NULL)
		return fw_no_memory(l);
	source = zip_source_buffer_create(l->data, l->size, 0, NULL);
	z->archive = source != NULL ? zip_open_from_source(source, ZIP_RDONLY, NULL) : NULL;
	if (z->archive == NULL) {
		zip_source_free(source);
		free(z);
		return fw_refuse(l, 0, "zip archive: cannot be opened");
	}
	z->count = (size_t)zip_get_num_entries(z->archive, 0);
	z->count = z->count < FW_ZIP_MEMBERS_MAX ? z->count : FW_ZIP_MEMBERS_MAX;
	for (size_t i = 0; i < z->count; i++) {
		const char *name = zip_get_name(z->archive, i, ZIP_FL_ENC_RAW);

		copy_text(z->names[i], sizeof(z->names[i]), name != NULL ? name : "");
		for (char *c = z->names[i]; *c != '\0'; c++)
			*c = *c == '\\' ? '/' : *c;
	}
	*ret_zip = z;
	return 0;
}

const char *
fw_zip_base(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

bool
fw_zip_beside(const struct fw_zip *z, size_t index, const char *name, size_t *ret_index)
{
	size_t folder = (size_t)(fw_zip_base(z->names[index]) - z->names[index]), found = 0;

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

void
fw_zip_close(struct fw_zip *z)
{
	if (z != NULL)
		zip_discard(z->archive); /* with its source */
	free(z);
}

int
fw_zip_read(struct fw_loading *l, struct fw_zip *z, size_t index, size_t max,
	    struct fw_member *ret_member)
{
	zip_file_t *f = NULL;
	uint8_t *bytes = NULL;
	char name[FW_ZIP_NAME_MAX + 1];
	zip_stat_t st;
	int r;

	fw_clean_text(name, sizeof(name), z->names[index], sizeof(z->names[index]));
	if (zip_stat_index(z->archive, index, 0, &st) != 0)
		return fw_refuse(l, 0, "zip archive: %s", zip_strerror(z->archive));
	if (st.size == 0 || st.size > max)
		return fw_refuse(l, 0, "zip member \"%s\": %" PRIu64 " bytes, expected 1 to %zu",
				 name, (uint64_t)st.size, max);
	f = zip_fopen_index(z->archive, index, 0);
	if (f == NULL)
		return fw_refuse(l, 0, "zip member \"%s\": %s", name, zip_strerror(z->archive));
	bytes = malloc(st.size);
	r = bytes != NULL ? unpack(l, f, name, bytes, st.size) : fw_no_memory(l);
	(void)zip_fclose(f); /* only read: what mattered was seen by unpack() */
	if (r < 0) {
		free(bytes);
		return r;
	}
	*ret_member = (struct fw_member){ bytes, st.size };
	return 0;
}
