/* SPDX-License-Identifier: MIT */
/*
 * How old a drone's firmware is by the version that it reports.  Bitcraze's releases are called
 * "2025.12" or "2024.10.2" (doc/foreign.md, CRTP answers); forks and developers call theirs as they
 * like, so the answer is often that the version does not tell.
 */
#ifndef CORE_RELEASE_H
#define CORE_RELEASE_H

enum release_age {
	RELEASE_UNKNOWN = 0, /* no release's name, or commits after an older one ("2020.09 +30") */
	RELEASE_OLDER,	     /* than the release that was asked about */
	RELEASE_NOT_OLDER,
};

/* version: as reported over CRTP, "" when it was not.  month: 1 to 12. */
enum release_age release_age(const char *version, unsigned year, unsigned month);

#endif
