/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/fw.h"

#include "firmware/fw_loading.h"

static int
refuse_elf(struct fw_loading *l)
{
	return fw_refuse(l, 0,
			 "this is an ELF file, for debuggers: take the .bin, .hex or .dfu "
			 "that was made from it");
}

static fw_loader *const loaders[FW_FORMAT_COUNT] = {
	[FW_RAW] = fw_load_raw,	  [FW_DFU] = fw_load_dfu,   [FW_DFUSE] = fw_load_dfuse,
	[FW_IHEX] = fw_load_ihex, [FW_SREC] = fw_load_srec, [FW_RELEASE] = fw_load_release,
	[FW_ELF] = refuse_elf,
};

static int
load_anything(struct fw_loading *l)
{
	int r;

	l->facts->format = fw_sniff(l->data, l->size);
	if (l->size > FW_FILE_BYTES_MAX)
		return fw_refuse(l, 0, "%zu bytes, the limit for a file is %u", l->size,
				 FW_FILE_BYTES_MAX);
	r = loaders[l->facts->format](l);
	if (r == 0)
		r = fw_leave_out_ram(l);
	return r == 0 && l->in->application_only ? fw_take_application(l) : r;
}

int
fw_load(const struct fw_input *in, struct image **ret_image, struct fw_facts **ret_facts,
	struct fw_error *ret_error)
{
	return fw_load_with(load_anything, in, ret_image, ret_facts, ret_error);
}
