/* SPDX-License-Identifier: MIT */
/* The next thing for hands, in so few words that a wall screen shows them from three metres. */
#ifndef CORE_TODO_H
#define CORE_TODO_H

struct slot_view;

#define TODO_TEXT_MAX 56 /* with its end: 55 characters */

/* A sentence, static; NULL: there is nothing to do, or the drone is being worked on. */
const char *todo_of(const struct slot_view *v);

#endif
