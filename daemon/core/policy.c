/* SPDX-License-Identifier: MIT */
/*
 * Which image belongs on which drone.
 *
 *   what it is:  the operator's rule, CRTP, the board in the OTP - none may exclude another
 * [decide] what it gets: own image of the drone, of its slot, or the one selected for what it is
 * [choose]
 *
 * INVARIANT: POLICY_USE means that the platform is decided and that the image does not exclude it.
 * INVARIANT: the answer is flapper only by the operator's rule.
 */
#include "config.h"

#include "core/policy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cfdfu/util.h"
#include "core/ident.h"

/* What the operator said about one slot or serial.  Free: no key. */
struct rule {
	char key[PATH_TEXT_MAX];
	struct image *image;
	enum platform platform;
	bool lost; /* an image is selected, and cannot be used */
};

/* An image that no drone gets.  Free: no reason. */
struct aside {
	uint8_t sha256[IMAGE_SHA256_BYTES];
	char reason[POLICY_REASON_MAX];
};

struct policy {
	struct image *selected[PLATFORM_COUNT];
	unsigned lost; /* platforms: the same */
	struct rule rules[POLICY_RULES_MAX];
	struct aside asides[POLICY_ASIDE_MAX];
};

/* The platforms that share a board with another one: only firmware or the operator tells them
 * apart. */
#define FLAPPER_KIN (BIT(PLATFORM_FLAPPER) | BIT(PLATFORM_CF2) | BIT(PLATFORM_BOLT))

int
policy_new(struct policy **ret_policy)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	*ret_policy = p;
	return 0;
}

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < PLATFORM_COUNT; i++)
		image_unref(p->selected[i]);
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		image_unref(p->rules[i].image);
	free(p);
}

/* Referenced first: it may be the very image that is replaced. */
static void
replace(struct image **place, struct image *image)
{
	struct image *old = *place;

	*place = image != NULL ? image_ref(image) : NULL;
	image_unref(old);
}

void
policy_select(struct policy *p, enum platform platform, struct image *image)
{
	assert(platform > PLATFORM_UNKNOWN && platform < PLATFORM_COUNT);
	replace(&p->selected[platform], image);
	p->lost &= ~BIT(platform);
}

void
policy_select_lost(struct policy *p, enum platform platform)
{
	policy_select(p, platform, NULL);
	p->lost |= BIT(platform);
}

bool
policy_is_lost(const struct policy *p, enum platform platform)
{
	return (unsigned)platform < PLATFORM_COUNT && (p->lost & BIT(platform)) != 0;
}

struct image *
policy_selected(const struct policy *p, enum platform platform)
{
	return (unsigned)platform < PLATFORM_COUNT ? p->selected[platform] : NULL;
}

int
policy_copy(const struct policy *p, struct policy **ret_policy)
{
	struct policy *copy = malloc(sizeof(*copy));

	if (copy == NULL)
		return -ENOMEM;
	*copy = *p;
	for (size_t i = 0; i < PLATFORM_COUNT; i++)
		if (copy->selected[i] != NULL)
			(void)image_ref(copy->selected[i]);
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (copy->rules[i].image != NULL)
			(void)image_ref(copy->rules[i].image);
	*ret_policy = copy;
	return 0;
}

static const struct aside *
find_aside(const struct policy *p, const uint8_t *sha256)
{
	for (size_t i = 0; i < POLICY_ASIDE_MAX; i++)
		if (p->asides[i].reason[0] != '\0' &&
		    memcmp(p->asides[i].sha256, sha256, IMAGE_SHA256_BYTES) == 0)
			return &p->asides[i];
	return NULL;
}

int
policy_set_aside(struct policy *p, const uint8_t sha256[IMAGE_SHA256_BYTES], const char *reason)
{
	assert(reason[0] != '\0');
	for (size_t i = 0; i < POLICY_ASIDE_MAX && find_aside(p, sha256) == NULL; i++) {
		struct aside *a = &p->asides[i];

		if (a->reason[0] != '\0')
			continue;
		memcpy(a->sha256, sha256, sizeof(a->sha256));
		copy_text(a->reason, sizeof(a->reason), reason);
	}
	return find_aside(p, sha256) != NULL ? 0 : -E2BIG;
}

bool
policy_release(struct policy *p, const uint8_t sha256[IMAGE_SHA256_BYTES])
{
	const struct aside *a = find_aside(p, sha256);

	if (a == NULL)
		return false;
	p->asides[a - p->asides].reason[0] = '\0';
	return true;
}

const char *
policy_aside(const struct policy *p, const uint8_t sha256[IMAGE_SHA256_BYTES])
{
	const struct aside *a = find_aside(p, sha256);

	return a != NULL ? a->reason : NULL;
}

static bool
is_aside(const struct policy *p, const struct image *image)
{
	return find_aside(p, image_label(image)->sha256) != NULL;
}

/*
 * The selection for one of these platforms; NULL none.  WHY: what is not set aside comes
 * first: a drone whose platform is not known yet is perhaps the one that it is for.
 */
static struct image *
any_selected_of(const struct policy *p, unsigned platforms)
{
	struct image *any = NULL;

	for (unsigned i = 0; i < PLATFORM_COUNT; i++)
		if ((platforms & BIT(i)) != 0 && p->selected[i] != NULL &&
		    (any == NULL || is_aside(p, any)))
			any = p->selected[i];
	return any;
}

bool
policy_any_selected(const struct policy *p)
{
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (p->rules[i].image != NULL)
			return true;
	return any_selected_of(p, ~0U) != NULL;
}

bool
policy_any_lost(const struct policy *p)
{
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (p->rules[i].lost)
			return true;
	return p->lost != 0;
}

static bool
is_free(const struct rule *rule)
{
	return rule->key[0] == '\0';
}

/* The rule of this key, or a free place for it, or NULL when full.  Case of a serial does not
 * matter. */
static struct rule *
find_place(struct policy *p, const char *key)
{
	struct rule *place = NULL;

	for (size_t i = 0; i < POLICY_RULES_MAX; i++) {
		struct rule *rule = &p->rules[i];

		if (!is_free(rule) && strcasecmp(rule->key, key) == 0)
			return rule;
		if (is_free(rule) && place == NULL)
			place = rule;
	}
	return place;
}

/* Says this about a key (lost: of the image); a rule that says nothing any more is forgotten. */
static int
set_rule(struct policy *p, const char *key, struct image *const *image, bool lost,
	 const enum platform *platform)
{
	size_t length = key != NULL ? strnlen(key, PATH_TEXT_MAX) : 0;
	struct rule *rule;

	if (length == 0 || length == PATH_TEXT_MAX)
		return -EINVAL;
	rule = find_place(p, key);
	if (rule == NULL)
		return -E2BIG;
	if (image != NULL) {
		replace(&rule->image, *image);
		rule->lost = lost;
	}
	if (platform != NULL)
		rule->platform = *platform;
	if (rule->image == NULL && rule->platform == PLATFORM_UNKNOWN && !rule->lost)
		rule->key[0] = '\0';
	else
		memcpy(rule->key, key, length + 1);
	return 0;
}

int
policy_select_own(struct policy *p, const char *target, struct image *image)
{
	int r = set_rule(p, target, &image, false, NULL);

	return r == -E2BIG && image == NULL ? 0 : r; /* nothing to remove */
}

struct image *
policy_own(const struct policy *p, const char *target)
{
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (!is_free(&p->rules[i]) && strcasecmp(p->rules[i].key, target) == 0)
			return p->rules[i].image;
	return NULL;
}

int
policy_select_own_lost(struct policy *p, const char *target)
{
	struct image *none = NULL;

	return set_rule(p, target, &none, true, NULL);
}

bool
policy_own_is_lost(const struct policy *p, const char *target)
{
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (p->rules[i].lost && strcasecmp(p->rules[i].key, target) == 0)
			return true;
	return false;
}

int
policy_set_platform(struct policy *p, const char *target, enum platform platform)
{
	int r;

	assert((unsigned)platform < PLATFORM_COUNT);
	r = set_rule(p, target, NULL, false, &platform);
	return r == -E2BIG && platform == PLATFORM_UNKNOWN ? 0 : r; /* nothing to remove */
}

bool
policy_any_to_give(const struct policy *p)
{
	const struct image *any = any_selected_of(p, ~0U);

	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (p->rules[i].image != NULL && !is_aside(p, p->rules[i].image))
			return true;
	return any != NULL && !is_aside(p, any);
}

static bool
is_text(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* Does a rule speak of this drone, by either of its serials? */
static bool
names_drone(const struct rule *rule, const struct policy_drone *d)
{
	if (is_free(rule))
		return false;
	if (is_text(d->runtime_serial) && strcasecmp(rule->key, d->runtime_serial) == 0)
		return true;
	if (is_text(d->dfu_serial) && strcasecmp(rule->key, d->dfu_serial) == 0)
		return true;
	/* WHY: only for the serial that is not known; where it is known, equality alone decides. */
	if (!is_text(d->runtime_serial) && is_text(d->dfu_serial))
		return ident_runtime_dfu(rule->key, d->dfu_serial) == IDENT_SAME;
	if (!is_text(d->dfu_serial) && is_text(d->runtime_serial))
		return ident_runtime_dfu(d->runtime_serial, rule->key) == IDENT_SAME;
	return false;
}

static bool
names_slot(const struct rule *rule, const struct policy_drone *d)
{
	if (is_free(rule))
		return false;
	return (is_text(d->port) && strcmp(rule->key, d->port) == 0) ||
	       (is_text(d->path) && strcmp(rule->key, d->path) == 0);
}

static bool
names_label(const struct rule *rule, const struct policy_drone *d)
{
	return !is_free(rule) && is_text(d->label) && strcasecmp(rule->key, d->label) == 0;
}

/* The operator's word on one drone, from all rules that speak of it. */
struct word {
	struct image *image;	/* the drone's own, else its slot's, else its label's, else NULL */
	enum policy_by by;	/* whose that is */
	enum platform platform; /* UNKNOWN: not a word about it */
	bool lost;		/* an image would be, but cannot be used */
	bool contradicts;	/* slot, label and serial say different platforms */
};

static void
hear(struct word *word, const struct rule *rule, enum policy_by by)
{
	if (word->image == NULL && !word->lost) {
		word->image = rule->image;
		word->lost = rule->lost;
		word->by = by;
	}
	if (rule->platform == PLATFORM_UNKNOWN)
		return;
	if (word->platform != PLATFORM_UNKNOWN && word->platform != rule->platform)
		word->contradicts = true;
	word->platform = rule->platform;
}

static struct word
operators_word(const struct policy *p, const struct policy_drone *d)
{
	struct word word = { .image = NULL };

	/* WHY: serials first; what was said of a drone follows it to any slot. */
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (names_drone(&p->rules[i], d))
			hear(&word, &p->rules[i], POLICY_BY_SERIAL);
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (names_slot(&p->rules[i], d))
			hear(&word, &p->rules[i], POLICY_BY_SLOT);
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (names_label(&p->rules[i], d))
			hear(&word, &p->rules[i], POLICY_BY_LABEL);
	return word;
}

/* Can one and the same drone be called both? */
static bool
are_kin(enum platform a, enum platform b)
{
	if (a == b)
		return true;
	return (a == PLATFORM_FLAPPER || b == PLATFORM_FLAPPER) && (FLAPPER_KIN & BIT(a)) != 0 &&
	       (FLAPPER_KIN & BIT(b)) != 0;
}

/* NULL, or the sentence that says who contradicts whom. */
static const char *
find_contradiction(const struct word *word, const struct policy_drone *d)
{
	enum platform rule = word->platform;

	if (word->contradicts)
		return "The platform rules for its slot and for its serial contradict one another.";
	if (rule != PLATFORM_UNKNOWN && d->board != 0 && (d->board & BIT(rule)) == 0)
		return "The platform rule contradicts the board type in the drone's OTP.";
	if (rule != PLATFORM_UNKNOWN && d->crtp != PLATFORM_UNKNOWN && !are_kin(rule, d->crtp))
		return "The platform rule contradicts what the drone's firmware calls itself.";
	if (d->crtp != PLATFORM_UNKNOWN && d->board != 0 && (d->board & BIT(d->crtp)) == 0)
		return "The drone's firmware calls itself another platform than its OTP says.";
	return NULL;
}

/* What a board is when nobody spoke of a Flapper: each board has exactly one other platform. */
static enum platform
platform_of_boards(unsigned boards)
{
	unsigned plain = boards & ~BIT(PLATFORM_FLAPPER);

	for (unsigned p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		if (plain == BIT(p))
			return (enum platform)p;
	return PLATFORM_UNKNOWN;
}

/* What the drone is taken for; sources are known not to contradict one another. */
static enum platform
decide_platform(const struct word *word, const struct policy_drone *d)
{
	if (word->platform != PLATFORM_UNKNOWN)
		return word->platform;
	if (d->crtp == PLATFORM_FLAPPER)
		return PLATFORM_UNKNOWN;
	if (d->crtp != PLATFORM_UNKNOWN)
		return d->crtp;
	return platform_of_boards(d->board);
}

/* Everything that anybody says it might be; all when nobody says anything. */
static unsigned
possible_platforms(const struct word *word, const struct policy_drone *d)
{
	unsigned said = d->board;

	if (word->platform != PLATFORM_UNKNOWN)
		said |= BIT(word->platform);
	if (d->crtp != PLATFORM_UNKNOWN)
		said |= d->crtp == PLATFORM_FLAPPER ? FLAPPER_KIN : BIT(d->crtp);
	return said != 0 ? said : ~0U;
}

static enum policy_answer
answer_undecided(const struct policy_drone *d, struct policy_choice *ret)
{
	if (d->crtp == PLATFORM_FLAPPER) {
		ret->why = "It calls itself a Flapper; only a platform rule for its slot or serial "
			   "can confirm that.";
		return POLICY_UNKNOWN;
	}
	if (!d->board_read) {
		ret->why = "Its platform is not known yet; it can be read in DFU mode.";
		return POLICY_ASK_OTP;
	}
	ret->why = "Neither its firmware nor its OTP says which platform it is.";
	return POLICY_UNKNOWN;
}

static enum policy_answer
answer_aside(const struct policy *p, struct image *image, struct policy_choice *ret)
{
	ret->image = image;
	ret->why = policy_aside(p, image_label(image)->sha256);
	return POLICY_ASIDE;
}

static enum policy_answer
answer_decided(const struct policy *p, struct image *image, struct policy_choice *ret)
{
	unsigned fits = image_label(image)->platforms;

	if (fits != 0 && (fits & BIT(ret->platform)) == 0) {
		ret->why = fits == BIT(PLATFORM_FLAPPER)
			       ? "The firmware is for a Flapper; that needs a platform rule for "
				 "the drone's slot or serial."
			       : "The firmware is for another platform than the drone's.";
		return POLICY_DISAGREE;
	}
	if (is_aside(p, image))
		return answer_aside(p, image, ret);
	ret->image = image;
	ret->why = fits != 0 ? "Firmware and drone are of the same platform."
			     : "The firmware does not say its platform; the operator selected it.";
	return POLICY_USE;
}

/* WHY: the next rule's image, or its platform's, is not what the operator selected for it. */
static bool
has_lost_its_image(const struct policy *p, const struct word *word, unsigned possible)
{
	if (word->lost || word->image != NULL)
		return word->lost;
	return (p->lost & possible) != 0 && any_selected_of(p, possible) == NULL;
}

static const char *
none_selected_for(enum platform platform)
{
	static const char *const words[PLATFORM_COUNT] = {
		[PLATFORM_CF2] = "No firmware is selected for its platform, cf2.",
		[PLATFORM_CF21BL] = "No firmware is selected for its platform, cf21bl.",
		[PLATFORM_BOLT] = "No firmware is selected for its platform, bolt.",
		[PLATFORM_TAG] = "No firmware is selected for its platform, tag.",
		[PLATFORM_FLAPPER] = "No firmware is selected for its platform, flapper.",
	};

	return words[platform] != NULL ? words[platform]
				       : "No firmware is selected for this drone.";
}

enum policy_answer
policy_choose(const struct policy *p, const struct policy_drone *d,
	      struct policy_choice *ret_choice)
{
	struct policy_choice choice = { .why = NULL };
	struct word word = operators_word(p, d);
	const char *contradiction = find_contradiction(&word, d);
	struct image *image = word.image, *any = word.image;
	enum policy_answer answer;

	assert((unsigned)d->crtp < PLATFORM_COUNT);
	if (any == NULL)
		any = any_selected_of(p, possible_platforms(&word, d));
	if (contradiction == NULL)
		choice.platform = decide_platform(&word, d);
	if (image == NULL)
		image = p->selected[choice.platform];
	if (has_lost_its_image(p, &word,
			       choice.platform != PLATFORM_UNKNOWN
				   ? BIT(choice.platform)
				   : possible_platforms(&word, d))) {
		choice.why = "The file of the firmware selected for it is missing or was changed: "
			     "'cfdfuctl firmware list' says what to do.";
		answer = POLICY_NO_IMAGE;
	} else if (any == NULL) {
		answer = POLICY_NO_IMAGE;
	} else if (contradiction != NULL) {
		choice.why = contradiction;
		answer = POLICY_DISAGREE;
	} else if (choice.platform == PLATFORM_UNKNOWN) {
		/* WHY: no mode is changed to find out which of the images it is not to get. */
		answer =
		    is_aside(p, any) ? answer_aside(p, any, &choice) : answer_undecided(d, &choice);
	} else {
		answer = image != NULL ? answer_decided(p, image, &choice) : POLICY_NO_IMAGE;
	}
	if (choice.why == NULL)
		choice.why = none_selected_for(choice.platform);
	if (answer == POLICY_USE)
		choice.by = word.image != NULL ? word.by : POLICY_BY_PLATFORM;
	*ret_choice = choice;
	return answer;
}
