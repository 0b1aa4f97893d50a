/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/judge_json.h"

#include "core/platform.h"
#include "firmware/judge.h"

json_t *
judge_findings_json(const struct judgement *j)
{
	json_t *list = json_array();

	for (size_t i = 0; i < j->finding_count; i++) {
		const struct finding *f = &j->findings[i];

		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s}", "level", judge_level_name(f->level), "code",
				    judge_code_name(f->code), "text", f->text));
	}
	return list;
}

json_t *
judge_platforms_json(unsigned platforms)
{
	json_t *list = json_array();

	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		if ((platforms & BIT(p)) != 0)
			(void)json_array_append_new(list, json_string(platform_name(p)));
	return list;
}
