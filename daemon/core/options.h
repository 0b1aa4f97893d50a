/* SPDX-License-Identifier: MIT */
/*
 * The option bytes of an STM32F405, as far as they say what can be written: RM0090 section 3.9,
 * "Description of the option bytes".  That the ROM hands them out by UPLOAD of alternate setting 1
 * is inferred from its memory string ("@Option Bytes  /0x1FFFC000/01*016 e") and from programs that
 * read them so; a device that refuses is treated as one without write protection, and a sector that
 * stays as it was is noticed when it is read back.
 */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include <stdint.h>

#define OPTIONS_ALT 1
#define OPTIONS_ADDR 0x1FFFC000U
#define OPTIONS_BYTES 16U

/*
 * BIT(n) for each of the twelve flash sectors that is protected against writing; 0 also when the
 * bytes are not believed: without read protection RDP is 0xAA, and with it they cannot be read.
 */
uint32_t options_write_protected(const uint8_t bytes[OPTIONS_BYTES]);

#endif
