/* SPDX-License-Identifier: MIT */
/* Names of the judge's findings. */
#include "config.h"

#include "firmware/judge.h"

const char *
judge_level_name(enum judge_level level)
{
	switch (level) {
	case JUDGE_NOTE:
		return "note";
	case JUDGE_WARN:
		return "warning";
	case JUDGE_REFUSE:
		return "refused";
	}
	return "note";
}

const char *
judge_code_name(enum judge_code code)
{
	static const char *const names[JUDGE_CODE_COUNT] = {
		[JUDGE_OK] = "ok",
		[JUDGE_EMPTY] = "empty",
		[JUDGE_TOO_BIG] = "too-big",
		[JUDGE_LOADER_GUARD] = "loader-guard",
		[JUDGE_START] = "start",
		[JUDGE_RANGE] = "range",
		[JUDGE_PROTECTED] = "protected",
		[JUDGE_OPTION_BYTES] = "option-bytes",
		[JUDGE_ALTERNATE] = "alternate",
		[JUDGE_TOO_SHORT] = "too-short",
		[JUDGE_BLANK_START] = "blank-start",
		[JUDGE_STACK] = "stack",
		[JUDGE_STACK_CCM] = "stack-ccm",
		[JUDGE_RESET_EVEN] = "reset-even",
		[JUDGE_RESET_OUTSIDE] = "reset-outside",
		[JUDGE_BASE_WRONG] = "base-wrong",
		[JUDGE_BASE_UNDECIDED] = "base-undecided",
		[JUDGE_HANDLERS_OUTSIDE] = "handlers-outside",
		[JUDGE_IS_LOADER] = "is-loader",
		[JUDGE_NOT_LOADER] = "not-loader",
		[JUDGE_PLATFORM] = "platform",
		[JUDGE_PLATFORM_UNKNOWN] = "platform-unknown",
		[JUDGE_PLATFORM_SEVERAL] = "platform-several",
		[JUDGE_VERSION_UNKNOWN] = "version-unknown",
		[JUDGE_MODIFIED] = "modified",
		[JUDGE_TRAILER] = "trailer",
		[JUDGE_RECORD_UNKNOWN] = "record-unknown",
		[JUDGE_GAPS] = "gaps",
		[JUDGE_INCOMPLETE] = "incomplete",
	};

	return (unsigned)code < JUDGE_CODE_COUNT ? names[code] : "unknown";
}
