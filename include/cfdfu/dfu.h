/* SPDX-License-Identifier: MIT */
/*
 * The vocabulary of USB DFU 1.1 and of ST's DfuSe dialect, as numbers on the wire.
 *
 * Sources: "USB Device Firmware Upgrade Specification" 1.1, sections 3 and 6 and appendix A;
 * ST UM0391 (file format), UM0424 section 4.3.2 (memory layout), AN2662/AN3156 (commands).
 */
#ifndef CFDFU_DFU_H
#define CFDFU_DFU_H

/* DFU 1.1, table 3.2: class requests, to the interface. */
enum dfu_request {
	DFU_DETACH = 0,
	DFU_DNLOAD = 1,
	DFU_UPLOAD = 2,
	DFU_GETSTATUS = 3,
	DFU_CLRSTATUS = 4,
	DFU_GETSTATE = 5,
	DFU_ABORT = 6,
};

#define DFU_REQUEST_OUT 0x21 /* bmRequestType: host to device, class, interface */
#define DFU_REQUEST_IN 0xA1  /* bmRequestType: device to host, class, interface */

/* DFU 1.1, section 6.1.2: bState. */
enum dfu_state {
	DFU_STATE_APP_IDLE = 0,
	DFU_STATE_APP_DETACH = 1,
	DFU_STATE_IDLE = 2,
	DFU_STATE_DNLOAD_SYNC = 3,
	DFU_STATE_DNBUSY = 4,
	DFU_STATE_DNLOAD_IDLE = 5,
	DFU_STATE_MANIFEST_SYNC = 6,
	DFU_STATE_MANIFEST = 7,
	DFU_STATE_MANIFEST_WAIT_RESET = 8,
	DFU_STATE_UPLOAD_IDLE = 9,
	DFU_STATE_ERROR = 10,
	DFU_STATE_COUNT
};

/* DFU 1.1, section 6.1.2: bStatus. */
enum dfu_status_code {
	DFU_STATUS_OK = 0x00,
	DFU_STATUS_ERR_TARGET = 0x01,
	DFU_STATUS_ERR_FILE = 0x02,
	DFU_STATUS_ERR_WRITE = 0x03,
	DFU_STATUS_ERR_ERASE = 0x04,
	DFU_STATUS_ERR_CHECK_ERASED = 0x05,
	DFU_STATUS_ERR_PROG = 0x06,
	DFU_STATUS_ERR_VERIFY = 0x07,
	DFU_STATUS_ERR_ADDRESS = 0x08,
	DFU_STATUS_ERR_NOTDONE = 0x09,
	DFU_STATUS_ERR_FIRMWARE = 0x0A,
	DFU_STATUS_ERR_VENDOR = 0x0B,
	DFU_STATUS_ERR_USBR = 0x0C,
	DFU_STATUS_ERR_POR = 0x0D,
	DFU_STATUS_ERR_UNKNOWN = 0x0E,
	DFU_STATUS_ERR_STALLEDPKT = 0x0F,
	DFU_STATUS_COUNT
};

#define DFU_STATUS_BYTES 6 /* bStatus, bwPollTimeout (24 bits), bState, iString */
#define DFU_FUNCTIONAL_DESCRIPTOR 0x21
#define DFU_BCD_DFUSE 0x011A /* bcdDFUVersion of a DfuSe device and file */

/* DfuSe: block 0 of DNLOAD carries a command, block 1 is reserved, data begins at block 2. */
#define DFUSE_BLOCK_COMMAND 0
#define DFUSE_BLOCK_DATA 2
#define DFUSE_SET_ADDRESS 0x21
#define DFUSE_ERASE 0x41
#define DFUSE_COMMAND_BYTES 5 /* command byte and a little-endian address */

/* UM0391: the DfuSe file. */
#define DFUSE_PREFIX_BYTES 11
#define DFUSE_TARGET_PREFIX_BYTES 274
#define DFUSE_ELEMENT_PREFIX_BYTES 8
#define DFU_SUFFIX_BYTES 16

/* ST's identifiers: the ROM boot loader, and the virtual COM port that the Crazyflie borrows. */
#define ST_VID 0x0483
#define ST_DFU_PID 0xDF11
#define ST_VCP_PID 0x5740

#endif
