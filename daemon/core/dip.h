/* SPDX-License-Identifier: MIT */
/*
 * Drones that vanish at work at the same time have one cause, and it is told once: the hub above
 * them, or its supply.
 *
 *   vanished     a drone's ending is "gone": it waits DIP_WINDOW_US for others, if others are at
 *                work on its bus [dip_waits]
 *   settled      then all that wait are looked at: the deepest hub with DIP_DRONES_MIN of them, or
 *                one further up that has so many more [find_hub]
 *   as well      drones below it that are between two modes: if they do not come back, that is why
 *
 * Such an ending counts against neither the port nor the drone nor the firmware.
 */
#ifndef CORE_DIP_H
#define CORE_DIP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slots.h"

/* Before an ending is recorded: has it to wait for others that vanish, too?  Settles its cause. */
bool dip_waits(struct slots *ss, unsigned slot, uint64_t now_us);

#endif
