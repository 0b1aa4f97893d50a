/* SPDX-License-Identifier: MIT */
/*
 * A text of records with hex digits, as Intel HEX and S-records are: what stands before the digits,
 * the count and the checksum of a record.  The meaning of a record is left to its format.
 */
#ifndef FIRMWARE_FW_RECORDS_H
#define FIRMWARE_FW_RECORDS_H

#include "firmware/fw_loading.h"

#define FW_RECORD_BYTES_MAX (1 + 2 + 1 + 255 + 1)

struct fw_records {
	struct fw_loading *l;
	struct fw_pieces pieces;
	size_t at;     /* in the file */
	size_t record; /* where the record at hand begins */
	unsigned line;
	uint8_t bytes[FW_RECORD_BYTES_MAX]; /* of the record at hand: count, ..., checksum */
	bool ended;			    /* the end record has been taken */
	void *ctx;			    /* the format's */
};

struct fw_record_format {
	char mark;	 /* the first character of a record */
	size_t head;	 /* characters before the digits */
	size_t beside;	 /* bytes that the count does not count */
	uint8_t sum;	 /* of all bytes */
	const char *end; /* the end record, in words */
	/* Of what stands before the digits: the least count, or a refusal.  May be NULL. */
	int (*check_head)(struct fw_records *r);
	/* The whole record.  0 or a refusal. */
	int (*take)(struct fw_records *r);
};

int fw_records_load(struct fw_loading *l, const struct fw_record_format *format,
		    void *ctx) MUST_CHECK;

/* A refusal of the record at hand: "line N, offset N: " and what is wrong. */
int fw_records_refuse(struct fw_records *r, size_t at, const char *format, ...) PRINTF_LIKE(3, 4);

/* The record ends with the file. */
int fw_records_cut(struct fw_records *r);

#endif
