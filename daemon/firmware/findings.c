/* SPDX-License-Identifier: MIT */
/* The judge's findings: adding them, asking for them, their names. */
#include "config.h"

#include "firmware/judge_internal.h"

#include <stdarg.h>

/* LIMIT: so many findings of one kind, lest one mistake drowns the others */
#define SAME_CODE_MAX 3

void
judge_add(struct judgement *j, enum judge_level level, enum judge_code code, const char *format,
	  ...)
{
	struct finding *f;
	unsigned same = 0;
	size_t at = 0;
	va_list args;

	if (level == JUDGE_REFUSE)
		j->accepted = false;
	for (size_t i = 0; i < j->finding_count; i++)
		same += j->findings[i].code == code;
	if (same >= SAME_CODE_MAX)
		return;
	if (j->finding_count == JUDGE_FINDINGS_MAX) {
		if (j->findings[JUDGE_FINDINGS_MAX - 1].level >= level)
			return;
		j->finding_count--; /* the lightest gives way */
	}
	/* The gravest first; among equals in the order found. */
	while (at < j->finding_count && j->findings[at].level >= level)
		at++;
	f = &j->findings[at];
	memmove(f + 1, f, (j->finding_count - at) * sizeof(*f));
	j->finding_count++;
	f->level = level;
	f->code = code;
	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
}

bool
judge_says(const struct judgement *j, enum judge_code code)
{
	for (size_t i = 0; i < j->finding_count; i++)
		if (j->findings[i].code == code)
			return true;
	return false;
}

const char *
judge_reason(const struct judgement *j)
{
	return j->accepted ? "accepted" : j->findings[0].text;
}

const char *
judge_level_name(enum judge_level level)
{
	static const char *const names[] = {
		[JUDGE_NOTE] = "note",
		[JUDGE_WARN] = "warning",
		[JUDGE_REFUSE] = "refused",
	};

	return names[level];
}

const char *
judge_code_name(enum judge_code code)
{
#define NAME(code, name) name,
	static const char *const names[] = { JUDGE_CODES(NAME) };

	return (unsigned)code < JUDGE_CODE_COUNT ? names[code] : "unknown";
}
