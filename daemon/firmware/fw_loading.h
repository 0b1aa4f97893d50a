/* SPDX-License-Identifier: MIT */
/* Shared by the loaders of this folder: one loading under way, refusals, the pieces of text
 * formats. */
#ifndef FIRMWARE_FW_LOADING_H
#define FIRMWARE_FW_LOADING_H

#include "firmware/fw.h"

/* One loading.  A loader fills facts and segments (in file order) and returns 0 or an error. */
struct fw_loading {
	const struct fw_input *in;
	const uint8_t *data; /* what to read: the file, or the member of a zip */
	size_t size;
	uint32_t addr; /* for formats without addresses */
	struct fw_facts *facts;
	struct fw_error *error;
	struct segment *segments; /* room for IMAGE_SEGMENTS_MAX */
	size_t segment_count;
	uint8_t *bytes; /* on the heap, for segments that are not in data; freed at the end */
};

typedef int fw_loader(struct fw_loading *l);

/* Runs a loader and makes the image of what it found: fw_load() and fw_dfuse_load() are this. */
int fw_load_with(fw_loader *loader, const struct fw_input *in, struct image **ret_image,
		 struct fw_facts **ret_facts, struct fw_error *ret_error) MUST_CHECK;

fw_loader fw_load_raw, fw_load_dfu, fw_load_dfuse, fw_load_ihex, fw_load_srec, fw_load_release;

/* Writes the sentence and returns -EINVAL (-ENOMEM for fw_no_memory). */
int fw_refuse(struct fw_loading *l, size_t offset, const char *format, ...) PRINTF_LIKE(3, 4);
int fw_no_memory(struct fw_loading *l);
void fw_warn(struct fw_facts *facts, const char *format, ...) PRINTF_LIKE(2, 3);

/* Text of at most n bytes, up to its NUL; what is not printable ASCII becomes '?'. */
void fw_clean_text(char *dst, size_t dst_size, const void *src, size_t n);

/* Adds an element and its segment.  The caller has checked that data has size bytes. */
int fw_add_element(struct fw_loading *l, const struct fw_element *e,
		   const uint8_t *data) MUST_CHECK;

/* Are these the first bytes? */
bool fw_begins(const uint8_t *data, size_t size, const char *magic);

/* A DFU suffix's signature stands where it has to, before the end. */
bool fw_has_suffix(const uint8_t *data, size_t size);

/*
 * The DFU suffix at the end (DFU 1.1 appendix B), checked: CRC, length, ids; it begins
 * facts.suffix_bytes before the end.  1 there is one, 0 none, or a refusal.
 */
int fw_read_suffix(struct fw_loading *l) MUST_CHECK;

/* Refuses data that end in a suffix, in any format: it would be flashed as firmware. */
int fw_check_ends(struct fw_loading *l) MUST_CHECK;

/* Takes off, with a note, a suffix that stands behind another one: l->size shrinks. */
void fw_drop_second_suffix(struct fw_loading *l);

/*
 * Where the first record begins: a line that starts with mark (':' or 'S') and hex digits, behind a
 * byte order mark and other lines of text at most.  false: there is none.
 */
bool fw_find_record(const uint8_t *data, size_t size, char mark, size_t *ret_at);

/* Notes what stands before that place, and counts its lines. */
void fw_note_preamble(struct fw_loading *l, size_t at, unsigned *ret_line);

/* A refusal of what is text in any encoding; 0: it is none. */
int fw_refuse_text(struct fw_loading *l, const uint8_t *data, size_t size) MUST_CHECK;

/* Takes out, with a note, what is wholly for the STM32's RAM. */
int fw_leave_out_ram(struct fw_loading *l) MUST_CHECK;

/* Keeps what is the application's, with a note. */
int fw_take_application(struct fw_loading *l) MUST_CHECK;

/* n bytes of hex text at p (2 n digits); returns how many digits were good, 2 n when all were. */
size_t fw_hex_decode(const uint8_t *p, size_t n, uint8_t *out);

/* Bytes gathered from the records of a text format; in any order. */
struct fw_piece {
	uint32_t addr, size;
	size_t at;     /* in bytes */
	size_t offset; /* of its first record, in the file */
};

struct fw_pieces {
	uint8_t *bytes;
	size_t used, room;
	struct fw_piece *list;
	size_t count, list_room;
};

#define FW_PIECES_MAX 65536U /* LIMIT: before what belongs together is joined: 2 MiB of list */

int fw_pieces_init(struct fw_pieces *p, struct fw_loading *l) MUST_CHECK;
int fw_pieces_add(struct fw_pieces *p, struct fw_loading *l, const struct fw_piece *piece,
		  const uint8_t *data) MUST_CHECK;
/* Sorts, joins, and hands the bytes over to l as elements of alternate 0. */
int fw_pieces_finish(struct fw_pieces *p, struct fw_loading *l) MUST_CHECK;
void fw_pieces_done(struct fw_pieces *p);

#endif
