/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/text.h"

void
machine_found(const struct machine *m, struct finding f, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* WHY: cut is fine */
	va_end(args);
	(void)json_array_append_new(m->list,
				    json_pack("{s:s,s:s,s:o,s:o}", "name", f.name, "level", f.level,
					      "text", text_json(text), "fix", text_json(f.fix)));
}

void
machine_path(const struct machine *m, char path[MACHINE_PATH_MAX], const char *fmt, ...)
{
	int used = snprintf(path, MACHINE_PATH_MAX, "%s", m->root);
	va_list args;

	va_start(args, fmt);
	if (used >= 0 && used < MACHINE_PATH_MAX)
		(void)vsnprintf(path + used, MACHINE_PATH_MAX - (size_t)used, fmt, args);
	va_end(args);
}

bool
machine_line(const char *path, char value[MACHINE_VALUE_MAX])
{
	FILE *f = fopen(path, "re");
	bool good = f != NULL && fgets(value, MACHINE_VALUE_MAX, f) != NULL;

	if (f != NULL)
		(void)fclose(f);
	if (good)
		value[strcspn(value, "\n")] = '\0';
	return good;
}

bool
machine_attribute(const struct machine *m, const char *device, const char *name,
		  char value[MACHINE_VALUE_MAX])
{
	char path[MACHINE_PATH_MAX];

	machine_path(m, path, "/sys/bus/usb/devices/%s/%s", device, name);
	return machine_line(path, value);
}

bool
machine_is_drone(const struct machine *m, const char *device)
{
	char vid[MACHINE_VALUE_MAX], pid[MACHINE_VALUE_MAX], maker[MACHINE_VALUE_MAX];

	if (!machine_attribute(m, device, "idVendor", vid) ||
	    !machine_attribute(m, device, "idProduct", pid) || strcmp(vid, "0483") != 0)
		return false;
	if (strcmp(pid, "df11") == 0)
		return true;
	return strcmp(pid, "5740") == 0 && machine_attribute(m, device, "manufacturer", maker) &&
	       strcmp(maker, "Bitcraze AB") == 0;
}
