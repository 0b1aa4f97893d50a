/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "udev/path.h"

static bool
carries_usb(const char *subsystem)
{
	static const char *const names[] = { "pci", "platform", "acpi", "xen" };

	for (size_t i = 0; subsystem != NULL && i < ARRAY_LEN(names); i++)
		if (strcmp(subsystem, names[i]) == 0)
			return true;
	return false;
}

static bool
is_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

bool
path_compose(const struct path_parent *parents, size_t count, const char *port,
	     char ret_path[PATH_TEXT_MAX])
{
	const char *chain = strchr(port, '-');
	char path[PATH_TEXT_MAX], longer[2 * PATH_TEXT_MAX];
	bool lasts = false;

	ret_path[0] = '\0';
	if (chain == NULL)
		return false;
	(void)snprintf(path, sizeof(path), "usb-0:%.32s", chain + 1);
	for (size_t i = 0; i < count; i++) {
		int n;

		if (!carries_usb(parents[i].subsystem) || parents[i].sysname == NULL ||
		    (i > 0 && is_same(parents[i].subsystem, parents[i - 1].subsystem)))
			continue;
		n = snprintf(longer, sizeof(longer), "%s-%.64s-%s", parents[i].subsystem,
			     parents[i].sysname, path);
		if (n >= (int)sizeof(path))
			return false;
		copy_text(path, sizeof(path), longer);
		lasts = true;
	}
	if (lasts)
		copy_text(ret_path, PATH_TEXT_MAX, path);
	return lasts;
}

bool
path_beside(const char *path, const char *port, char ret_path[PATH_TEXT_MAX])
{
	static const char before_chain[] = "usb-0:";
	const char *chain = strchr(port, '-'), *end = NULL;
	char text[2 * PATH_TEXT_MAX];
	int n;

	ret_path[0] = '\0';
	for (const char *p = strstr(path, before_chain); p != NULL; p = strstr(p, before_chain))
		end = p += sizeof(before_chain) - 1;
	if (chain == NULL || end == NULL)
		return false;
	n = snprintf(text, sizeof(text), "%.*s%.32s", (int)(end - path), path, chain + 1);
	if (n < 0 || n >= PATH_TEXT_MAX)
		return false;
	copy_text(ret_path, PATH_TEXT_MAX, text);
	return true;
}
