/* SPDX-License-Identifier: MIT */
/*
 * The control interface: what its methods work with, and the table of their handlers.
 *
 * A method is declared in include/cfdfu/org.cfdfu.Station.varlink, and has a handler api_NAME() in
 * the file of its subject.  A handler answers its call; what it asked of the fleet is carried out
 * when it has returned.
 */
#ifndef APP_API_H
#define APP_API_H

#include "app/services.h"
#include "app/target.h"
#include "core/fleet.h"
#include "ctl/server.h"
#include "ctl/station_methods.h"
#include "firmware/digest.h"
#include "firmware/fw.h"
#include "firmware/signature.h"
#include "store/store.h"

struct rescue_result;

#define API_HANDLER(name, ...) server_handler api_##name;
STATION_METHODS(API_HANDLER)
extern server_handler *const api_handlers[]; /* in the order of station_signatures */

/* For rescue_new(): answers the call that asked for it. */
void api_rescue_ended(void *owner, const struct rescue_result *result);

/* ---- shared by the handlers ---- */

/* api_target.c: what a text names.  records: also drones that are not plugged in. */
void api_find(const struct services *sv, const char *text, bool records, struct target *ret_target);
/* Among the slots; false after having answered that the text names none, or several drones. */
bool api_find_slots(const struct services *sv, struct call *call, const char *text,
		    struct target *ret_target);
/* Of one that names nothing, or is ambiguous. */
void api_refuse_target(const struct services *sv, struct call *call, const struct target *t);
/* Where one slot alone can be meant: true after having answered that the target is several. */
bool api_refuse_several(struct call *call, const struct target *t);
/* By the error of fleet_retry() or rescue_begin(): the end of a sentence. */
const char *api_why_not(int error);
#define API_SLOT_NAME_MAX 128
/* "A3 (1-4)", or the port alone. */
void api_slot_name(const struct services *sv, const char *port, char ret_name[API_SLOT_NAME_MAX]);

/*
 * api_jobs.c: a call that has jobs begun on several slots, and is answered when all have ended, or
 * could not be begun: {results: []JobEnding} and what it has besides.
 */
struct api_jobs {
	struct services *sv;
	struct call *call;
	json_t *reply; /* the answer; taken */
	unsigned begun;
};
void api_jobs_begin(struct api_jobs *j, unsigned slot, const struct job_setup *setup);
void api_jobs_wait(struct api_jobs *j);
void api_jobs_ended(struct call *call, const struct rescue_result *result);
/* The slots that these texts name; false after having answered that one of them names none. */
bool api_find_wanted(const struct services *sv, struct call *call, json_t *targets,
		     bool ret_wanted[FLEET_SLOTS_MAX]);
/* Members of a slot as status shows it, with the names of keys; NULL ends them. */
json_t *api_slot_part(const struct services *sv, unsigned slot, const char *const *keys);

/* api_doctor_drones.c: appends one check.  fix: the command that mends it, or NULL. */
void api_check(json_t *list, const char *name, const char *level, const char *fix,
	       const char *format, ...) PRINTF_LIKE(5, 6);
void api_check_drones(const struct services *sv, json_t *list);

/* api_batch.c: the batch of this name; false after having answered that there is none. */
bool api_find_batch(const struct services *sv, struct call *call, const char *name,
		    int64_t *ret_id);
/* api_history.c: "2026-01-31T12:34:56.789Z", time of day and its fraction optional; or false. */
bool api_parse_time(const char *text, int64_t *ret_ms);

/*
 * api_stats.c: sums over all attempts, in slices that hold up no drone: one question at a time, the
 * others wait.  A question is answered as it just was as long as nothing was recorded since.
 */
int stats_new(const struct services *sv, struct stats **ret_stats) MUST_CHECK;
void stats_free(struct stats *s); /* NULL is fine */
/* The client of this call went away; it may have asked something else. */
void stats_forget(struct stats *s, const struct call *call);

/*
 * api_file.c: the file that came with a call, and who has signed it.  A signed one is read as a
 * client would (how); data is then the DfuSe file of its image.  False after having answered why it
 * is refused; in both cases to be freed.
 */
struct api_file {
	uint8_t *data;
	size_t size;
	const char *signer;	      /* NULL: it is not signed, and that may be */
	struct fw_facts *facts;	      /* of a signed one, as of all below */
	char sha256[DIGEST_TEXT_MAX]; /* as it came */
	struct signature_result signature;
};
bool api_take_file(const struct services *sv, struct call *call, size_t bytes_max,
		   const struct fw_input *how, struct api_file *ret_file);
void api_free_file(struct api_file *f);

/* api_firmware.c: type Firmware, or NULL: there is no such row. */
json_t *api_firmware_row(const struct services *sv, const char *name);
/* api_part.c: a list of type FirmwarePart. */
json_t *api_parts(const struct services *sv, const char *firmware);
/* An image of the catalogue by its name: 0, or -EALREADY after having refused. */
int api_image(const struct services *sv, struct call *call, const char *name,
	      struct image **ret_image) MUST_CHECK;
/* Says why policy_platforms_for() did not take it. */
void api_refuse_platforms(const struct services *sv, struct call *call, const struct image *image,
			  int error);

#endif
