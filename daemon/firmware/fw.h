/* SPDX-License-Identifier: MIT */
/*
 * Untrusted bytes -> image: finds the format by content, never by name, and calls its loader.
 *
 * Memory beside the input: at most once the size of the file, 8 MiB, and the parts of a release
 * (1 MiB each).  Nothing is asserted about the bytes.  The daemon takes DfuSe only
 * (fw_dfuse_load()), but for files with a good signature.
 */
#ifndef FIRMWARE_FW_H
#define FIRMWARE_FW_H

#include "cfdfu/platform.h"
#include "core/image.h"

#define FW_ADDR_DEFAULT 0x08004000U /* where a plain binary belongs: doc/protocol.md 9.3 */
#define FW_FILE_BYTES_MAX (160U * 1024U * 1024U) /* LIMIT: IMAGE_BYTES_MAX as HEX text */
#define FW_ZIP_BYTES_MAX (16U * 1024U * 1024U)	 /* LIMIT: doc/faults.md F6 */
#define FW_WARNINGS_MAX 16
#define FW_WARNING_TEXT_MAX 200
#define FW_TARGET_NAME_BYTES 255 /* UM0391: szTargetName */

enum fw_format {
	FW_UNKNOWN = 0,
	FW_RAW,	    /* plain binary */
	FW_DFU,	    /* plain binary with a DFU 1.x suffix */
	FW_DFUSE,   /* ST's container */
	FW_IHEX,    /* Intel HEX */
	FW_SREC,    /* Motorola S-record */
	FW_RELEASE, /* Bitcraze release zip */
	FW_ELF,	    /* recognised to be refused by name */
	FW_FORMAT_COUNT
};

/* Why a file is refused: one sentence with offset, field, what was found and what was expected. */
struct fw_error {
	size_t offset; /* in the file (in the named member of a zip) */
	char text[256];
};

struct fw_input {
	const uint8_t *data;
	size_t size;
	uint32_t addr;		/* for formats without addresses; others ignore it */
	const char *name;	/* becomes image_label.name; NULL counts as "" */
	enum platform platform; /* the operator's word (or the catalogue's); UNKNOWN: none */
	uint16_t vid, pid;     /* what a suffix must name, or 0xFFFF; both 0: ST's DFU, 0483:df11 */
	bool incomplete;       /* the catalogue's word: becomes image_label.incomplete */
	const char *signer;    /* the same; NULL: "" */
	bool any_ids;	       /* other ids are a warning only: for showing and extracting */
	bool application_only; /* of a copy of the whole flash memory */
};

/* One target of a DfuSe file, in file order. */
struct fw_target {
	uint8_t alt;
	bool named;
	char name[64];				/* sanitised; "" when not named */
	uint8_t raw_name[FW_TARGET_NAME_BYTES]; /* as in the file, for an unchanged round trip */
	uint32_t raw_named;			/* bTargetNamed as in the file */
	uint32_t element_first, element_count;	/* in fw_facts.elements */
};

/* One contiguous piece, in file order. */
struct fw_element {
	uint8_t alt;
	uint32_t addr;
	uint32_t size;
	size_t offset; /* of its first data byte (HEX, S-record: of its first record) in the file */
};

/* A part of a release beside the STM32's image, for one target; judged and accepted. */
struct fw_part {
	struct image_part part; /* its bytes belong to the facts */
	char soft_device[24];	/* "sd-s130", which the nRF51's part needs or brings; "" not said */
	char file[64];		/* member of the zip; what two targets share is there twice */
};

/* The manifest of a release zip; texts are sanitised. */
struct fw_release_facts {
	int manifest_version;	/* 1 or 2; 0: not a zip */
	enum platform platform; /* from fw_platform; UNKNOWN when the manifest has none */
	char fw_platform[32];	/* its text */
	char release[32];	/* of the whole */
	char stm32_file[64];	/* the member that was taken */
	char stm32_release[32];
	bool nrf; /* carries an nRF51 part, which cannot travel over USB DFU */
	char nrf_release[32];
	unsigned deck_files;		       /* for decks: not installed either */
	struct fw_part parts[IMAGE_PARTS_MAX]; /* those of both that are fit to be kept */
	size_t part_count;
};

/* Facts about the file beside its image. */
struct fw_facts {
	enum fw_format format;
	bool suffix;	      /* has a DFU suffix; the next five are from it */
	uint8_t suffix_bytes; /* bLength: more than 16 when a tool has put its own data in */
	uint16_t vid, pid, device, bcd_dfu;
	bool size_counts_suffix; /* DfuSe: DFUImageSize is the whole file, as of dfuse-pack */
	struct fw_target targets[IMAGE_TARGETS_MAX];
	size_t target_count; /* 0 in formats without targets: everything is alternate 0 */
	struct fw_element elements[IMAGE_SEGMENTS_MAX];
	size_t element_count;
	char header[64]; /* S0 text; "" none */
	bool start_given;
	uint32_t start; /* HEX 03/05, S7-S9: start address; ignored beside being shown */
	struct fw_release_facts release;
	bool altered; /* something was left out: fw_make_again() cannot give the same bytes */
	char warnings[FW_WARNINGS_MAX][FW_WARNING_TEXT_MAX];
	size_t warning_count;
};

/* "dfuse", "dfu", "ihex", "srec", "zip", "elf", "raw"; "unknown" otherwise.  Stable: shown in JSON.
 */
const char *fw_format_name(enum fw_format f);

/* "DfuSe file", "Intel HEX file", ...: for sentences. */
const char *fw_format_words(enum fw_format f);

/* By content alone; FW_RAW for what is nothing else (an empty file too). */
enum fw_format fw_sniff(const uint8_t *data, size_t size);

/*
 * Loads whatever it is.  The image has one reference, the caller's; its label has the name given,
 * version, revision and platforms as read from the bytes (content.h; narrowed by the manifest and
 * the operator), and the digest of digest.h.  ret_facts (heap, fw_facts_free) may be NULL when not
 * wanted. -EINVAL: not acceptable, -E2BIG: over a limit - both with ret_error; -ENOMEM with a text
 * too. Not judged yet: judge_image() does that.
 */
int fw_load(const struct fw_input *in, struct image **ret_image, struct fw_facts **ret_facts,
	    struct fw_error *ret_error) MUST_CHECK;

/* The same for a file that has to be DfuSe. */
int fw_dfuse_load(const struct fw_input *in, struct image **ret_image, struct fw_facts **ret_facts,
		  struct fw_error *ret_error) MUST_CHECK;

void fw_facts_free(struct fw_facts *facts); /* NULL is fine */

#endif
