/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/elements.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/app_parts.h"
#include "app/library.h"
#include "core/image.h"

struct known {
	char name[STORE_NAME_MAX];
	struct stat st;
	json_t *list; /* NULL: free */
};

struct elements {
	struct known known[ELEMENTS_MAX];
	size_t next; /* the oldest: it makes room */
};

static void
on_file(void *ctx, const struct store_firmware *f)
{
	copy_text(ctx, 80, f->file);
}

static int
look_at(struct app *a, const char *name, struct stat *st)
{
	char file[80] = "", path[512];

	if (store_firmware_find(a->store, name, on_file, file) <= 0)
		return -ENOENT;
	(void)snprintf(path, sizeof(path), "%s/%s", store_firmware_dir(a->store), file);
	return stat(path, st) < 0 ? -errno : 0;
}

/* The list as it is now; NULL when that is not worth being remembered. */
static json_t *
read_elements(struct app *a, const char *name)
{
	char why[STORE_WHY_MAX];
	struct image *image = NULL;
	json_t *list = json_array();
	int r = library_image(a, name, &image, why);

	for (size_t i = 0; r == 0 && i < image_segment_count(image); i++) {
		const struct segment *s = image_segment(image, i);

		(void)json_array_append_new(
		    list, json_pack("{s:i, s:n, s:I, s:I}", "target", s->alt, "target_name",
				    "address", (json_int_t)s->addr, "bytes", (json_int_t)s->size));
	}
	image_unref(image);
	if (r == 0 || r == -EINVAL)
		return list;
	json_decref(list);
	return NULL;
}

static struct known *
find(struct elements *e, const char *name)
{
	for (size_t i = 0; i < ELEMENTS_MAX; i++)
		if (e->known[i].list != NULL && strcmp(e->known[i].name, name) == 0)
			return &e->known[i];
	return NULL;
}

static struct known *
take_place(struct elements *e, const char *name)
{
	struct known *k = find(e, name);

	if (k == NULL) {
		k = &e->known[e->next];
		e->next = (e->next + 1) % ELEMENTS_MAX;
	}
	json_decref(k->list);
	k->list = NULL;
	copy_text(k->name, sizeof(k->name), name);
	return k;
}

json_t *
elements_of(struct app *a, const char *name)
{
	struct known *k;
	struct stat st;
	json_t *list;

	if (a->elements == NULL)
		a->elements = calloc(1, sizeof(*a->elements));
	if (a->elements == NULL || look_at(a, name, &st) < 0)
		return json_array();
	k = find(a->elements, name);
	if (k != NULL && library_is_same_file(&k->st, &st))
		return json_incref(k->list);
	list = read_elements(a, name);
	if (list == NULL)
		return json_array();
	k = take_place(a->elements, name);
	k->st = st;
	k->list = list;
	return json_incref(list);
}

void
elements_forget(struct app *a)
{
	if (a->elements == NULL)
		return;
	for (size_t i = 0; i < ELEMENTS_MAX; i++)
		json_decref(a->elements->known[i].list);
	free(a->elements);
	a->elements = NULL;
}
