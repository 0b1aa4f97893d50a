/* SPDX-License-Identifier: MIT */
/* Files that come with a call: their signatures, and what a signed one holds. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/api.h"
#include "app/reply.h"
#include "app/settings.h"
#include "cfdfu/proto.h"
#include "ctl/memfile.h"
#include "firmware/fw_make.h"
#include "firmware/selection_file.h"

/* Does the selection, whose signature is good, name this file, and for the platform that its client
 * says (NULL: none)? */
static bool
is_selected(struct call *call, const char *selection, const char *sha256, const char *platform)
{
	char why[SELECTION_WHY_MAX] = "the file is none of those that it names";
	struct selection_file s = { .serial = 0 };

	if (selection_file_read(selection, strlen(selection), &s, why) == 0)
		for (unsigned i = 0; i < PLATFORM_COUNT; i++)
			if (strcmp(s.files[i].sha256, sha256) == 0 &&
			    (platform == NULL || strcmp(platform_name(i), platform) == 0))
				return true;
	call_refuse(call, PROTO_ERROR("SignatureRefused"), "selection.json is refused: %s%s%s.",
		    why, s.serial > 0 && platform != NULL ? " for " : "",
		    s.serial > 0 && platform != NULL ? platform : "");
	return false;
}

static bool
check_signature(const struct settings *s, struct call *call, const char *signature,
		struct api_file *f)
{
	const char *selection = param_text(call_parameters(call), "selection");
	uint8_t sha256[DIGEST_BYTES];
	int r;

	digest_bytes(f->data, f->size, sha256);
	digest_format(sha256, f->sha256);
	r = signature_check(&s->keys, signature, selection != NULL ? selection : (char *)f->data,
			    selection != NULL ? strlen(selection) : f->size, &f->signature);
	f->signer = f->signature.signer;
	if (r < 0)
		call_refuse(call, PROTO_ERROR("SignatureRefused"),
			    "The signature of %s is refused: %s.%s%s%s",
			    selection != NULL ? "selection.json" : "the file", f->signature.why,
			    r == -ENOKEY ? " Trusted keys: " : "", r == -ENOKEY ? s->trusted : "",
			    r == -ENOKEY ? "/*.pub (a new one is read by: systemctl reload cfdfud)"
					 : "");
	return r == 0 &&
	       (selection == NULL || is_selected(call, selection, f->sha256,
						 param_text(call_parameters(call), "platform")));
}

/* The image of a signed one instead of the file as it came. */
static bool
read_signed(struct call *call, const struct fw_input *how, struct api_file *f)
{
	struct fw_input in = *how;
	struct fw_error error = { .text = "Out of memory." };
	struct image *image = NULL;
	uint8_t *source = f->data;
	int r;

	in.data = source;
	in.size = f->size;
	r = fw_load(&in, &image, &f->facts, &error);
	if (r == 0)
		r = fw_make_from_image(image, &f->data, &f->size);
	image_unref(image);
	if (r == 0)
		free(source);
	else
		call_error(call, PROTO_ERROR("ImageRefused"),
			   json_pack("{s:s, s:[]}", "reason", error.text, "findings"));
	return r == 0;
}

bool
api_take_file(const struct services *sv, struct call *call, size_t bytes_max,
	      const struct fw_input *how, struct api_file *ret_file)
{
	const char *signature = param_text(call_parameters(call), "signature");
	int fd = call_take_fd(call), r = -EINVAL;
	const char *why = "Out of memory.";

	*ret_file = (struct api_file){ .data = NULL };
	if (signature == NULL && sv->settings->require_signature) {
		call_refuse(call, PROTO_ERROR("SignatureRefused"),
			    "This station takes signed firmware only ([firmware] "
			    "require-signature): FILE.minisig is needed beside FILE.");
	} else {
		r = memfile_read(fd, signature != NULL ? PROTO_FILE_BYTES_MAX : bytes_max,
				 &ret_file->data, &ret_file->size, &why);
		if (r < 0)
			refuse_descriptor(call, r, why);
	}
	if (fd >= 0)
		(void)close(fd);
	return r == 0 &&
	       (signature == NULL || (check_signature(sv->settings, call, signature, ret_file) &&
				      read_signed(call, how, ret_file)));
}

void
api_free_file(struct api_file *f)
{
	fw_facts_free(f->facts);
	free(f->data);
}
