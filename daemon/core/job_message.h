/* SPDX-License-Identifier: MIT */
/* The words beside a job's verdict, and those of a job that comes to none. */
#ifndef CORE_JOB_MESSAGE_H
#define CORE_JOB_MESSAGE_H

#include <stddef.h>

#include "core/attempt.h"
#include "core/dfu_session.h"
#include "core/policy.h"

/* The words for the verdict, into record->message; why: a static sentence beside it, or NULL. */
void job_message_compose(struct job_record *record, const struct dfu_session *dfu, const char *why);

/* The target of the job, for the record; deck: by name, or "". */
void job_message_target(struct job_record *record, const char *deck);

/* A sentence more: a cause that its ending shares with others. */
void job_message_blame(struct job_record *record, const char *words);

/* Static: the host's trouble with a device in DFU mode that nothing is known of. */
const char *job_message_unopened(enum fault fault);

/* A foreign device; why: the finding about it (half a sentence), or NULL. */
void job_message_foreign(const char *why, char *ret_text, size_t size);

/* The image is quarantined in the policy. */
void job_message_quarantined(const struct policy *policy, const struct image *image, char *ret_text,
			     size_t size);

#endif
