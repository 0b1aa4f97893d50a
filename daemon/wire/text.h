/* SPDX-License-Identifier: MIT */
/*
 * Text of unknown origin (device strings, file names, client input) made harmless for terminals,
 * logs and JSON.
 */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include <jansson.h>
#include <stddef.h>

/*
 * Copies src (NULL counts as "") into dst of size bytes (at least 1), always terminated, always
 * valid UTF-8: bytes that are not UTF-8, control characters (C0, DEL, C1, line and paragraph
 * separators) and the characters that turn the direction of text become '?'.  A text that
 * is too long is cut between characters.  Returns the bytes written without the NUL.
 */
size_t text_clean(char *dst, size_t size, const char *src);

/* A JSON string of the cleaned text; JSON null for NULL; NULL when memory ran out. */
json_t *text_json(const char *src);

#endif
