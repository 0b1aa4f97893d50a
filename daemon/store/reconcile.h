/* SPDX-License-Identifier: MIT */
/* The database and the audit file tell one story: the shorter of the two is made as long as the
 * other. */
#ifndef STORE_RECONCILE_H
#define STORE_RECONCILE_H

#include "store/files.h"

/* 0; -EUCLEAN: they tell different stories and the audit file is to be believed; other negative
 * errno.  stamp names what is put away. */
int reconcile_files(struct files *f, const char *stamp) MUST_CHECK;

#endif
