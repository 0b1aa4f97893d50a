/* SPDX-License-Identifier: MIT */
/*
 * Which image belongs on which drone [policy_choose].
 *
 *   what it is     the operator's rule, CRTP, the board in the OTP; none may exclude another
 *                  [platform_sources_decide]
 *   what it gets   the image of its own serial, of its slot, of its label [operators_word], or the
 *                  one selected for what it is [any_selected_of]
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
#include "core/barred.h"
#include "core/ident.h"
#include "core/platform.h"

/* The operator's word about one slot, label or serial.  Free: no key. */
struct rule {
	char key[PATH_TEXT_MAX];
	struct image *image;
	enum platform platform;
	bool lost; /* an image is selected, and cannot be used */
};

struct policy {
	struct image *selected[PLATFORM_COUNT];
	unsigned lost; /* platforms: the same */
	struct rule rules[POLICY_RULES_MAX];
	struct barred barred; /* images that no drone gets */
};

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
	if (p != NULL)
		policy_lose(p);
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

void
policy_lose(struct policy *p)
{
	for (unsigned i = 0; i < PLATFORM_COUNT; i++)
		if (p->selected[i] != NULL)
			policy_select_lost(p, i);
	for (size_t i = 0; i < POLICY_RULES_MAX; i++) {
		p->rules[i].lost |= p->rules[i].image != NULL;
		replace(&p->rules[i].image, NULL);
	}
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

int
policy_quarantine(struct policy *p, const uint8_t sha256[IMAGE_SHA256_BYTES], const char *reason)
{
	return barred_add(&p->barred, sha256, reason);
}

bool
policy_release(struct policy *p, const uint8_t sha256[IMAGE_SHA256_BYTES])
{
	return barred_remove(&p->barred, sha256);
}

const char *
policy_quarantined(const struct policy *p, const uint8_t sha256[IMAGE_SHA256_BYTES])
{
	return barred_why(&p->barred, sha256);
}

static bool
is_quarantined(const struct policy *p, const struct image *image)
{
	return policy_quarantined(p, image_label(image)->sha256) != NULL;
}

/*
 * The selection for one of these platforms; NULL none.  WHY: images that are not quarantined come
 * first: a drone whose platform is not known yet may be of their platform.
 */
static struct image *
any_selected_of(const struct policy *p, unsigned platforms)
{
	struct image *any = NULL;

	for (unsigned i = 0; i < PLATFORM_COUNT; i++)
		if ((platforms & BIT(i)) != 0 && p->selected[i] != NULL &&
		    (any == NULL || is_quarantined(p, any)))
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

/* Case of a serial does not matter.  "" is the key of what is free.  NULL: there is none. */
static const struct rule *
find_rule(const struct policy *p, const char *key)
{
	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (strcasecmp(p->rules[i].key, key) == 0)
			return &p->rules[i];
	return NULL;
}

/* The rule of this key, or a free one, or NULL when full. */
static struct rule *
find_place(struct policy *p, const char *key)
{
	const struct rule *rule = find_rule(p, key);

	if (rule == NULL)
		rule = find_rule(p, "");
	return rule != NULL ? &p->rules[rule - p->rules] : NULL;
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
		return lost || (image != NULL && *image != NULL) ||
			       (platform != NULL && *platform != PLATFORM_UNKNOWN)
			   ? -E2BIG
			   : 0; /* nothing to remove */
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
	return set_rule(p, target, &image, false, NULL);
}

struct image *
policy_own(const struct policy *p, const char *target)
{
	const struct rule *rule = find_rule(p, target);

	return rule != NULL ? rule->image : NULL;
}

int
policy_select_own_lost(struct policy *p, const char *target)
{
	return set_rule(p, target, &(struct image *){ NULL }, true, NULL);
}

bool
policy_own_is_lost(const struct policy *p, const char *target)
{
	const struct rule *rule = find_rule(p, target);

	return rule != NULL && rule->lost;
}

int
policy_set_platform(struct policy *p, const char *target, enum platform platform)
{
	assert((unsigned)platform < PLATFORM_COUNT);
	return set_rule(p, target, NULL, false, &platform);
}

bool
policy_any_to_give(const struct policy *p)
{
	const struct image *any = any_selected_of(p, ~0U);

	for (size_t i = 0; i < POLICY_RULES_MAX; i++)
		if (p->rules[i].image != NULL && !is_quarantined(p, p->rules[i].image))
			return true;
	return any != NULL && !is_quarantined(p, any);
}

static bool
is_text(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* Is this rule about the drone, by either of its serials? */
static bool
names_drone(const struct rule *rule, const struct policy_drone *d)
{
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

static enum policy_by
named_by(const struct rule *rule, const struct policy_drone *d)
{
	if (!is_text(rule->key))
		return POLICY_BY_NOTHING;
	if (names_drone(rule, d))
		return POLICY_BY_SERIAL;
	if ((is_text(d->port) && strcmp(rule->key, d->port) == 0) ||
	    (is_text(d->path) && strcmp(rule->key, d->path) == 0))
		return POLICY_BY_SLOT;
	if (is_text(d->label) && strcasecmp(rule->key, d->label) == 0)
		return POLICY_BY_LABEL;
	return POLICY_BY_NOTHING;
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

	/* WHY: serials first; the operator's word about a drone follows it to any slot. */
	for (enum policy_by by = POLICY_BY_SERIAL; by <= POLICY_BY_LABEL; by++)
		for (size_t i = 0; i < POLICY_RULES_MAX; i++)
			if (named_by(&p->rules[i], d) == by)
				hear(&word, &p->rules[i], by);
	return word;
}

bool
policy_knows_flappers(const struct policy *p)
{
	const unsigned flapper = BIT(PLATFORM_FLAPPER);

	for (size_t i = 0; i < POLICY_RULES_MAX; i++) {
		const struct rule *rule = &p->rules[i];

		if (rule->platform == PLATFORM_FLAPPER ||
		    (rule->image != NULL && image_label(rule->image)->platforms == flapper))
			return true;
	}
	return p->selected[PLATFORM_FLAPPER] != NULL || (p->lost & flapper) != 0;
}

/* A Flapper has no board of its own: only its firmware or the operator tells it from its kin. */
static bool
may_be_flapper(const struct policy *p, const struct platform_sources *s)
{
	return s->rule == PLATFORM_UNKNOWN && s->crtp == PLATFORM_UNKNOWN &&
	       (s->board & BIT(PLATFORM_FLAPPER)) != 0 && policy_knows_flappers(p);
}

static enum policy_answer
answer_undecided(const struct policy_drone *d, struct policy_choice *ret)
{
	if (d->crtp == PLATFORM_FLAPPER) {
		ret->why = "It calls itself a Flapper; only a platform rule for its slot or serial "
			   "can confirm that.";
		return POLICY_UNKNOWN;
	}
	if ((d->board & BIT(PLATFORM_FLAPPER)) != 0) {
		ret->why =
		    "It has not said what it is, and by its board it may be a Flapper, which "
		    "this station has rules or firmware for.";
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
answer_quarantined(const struct policy *p, struct image *image, struct policy_choice *ret)
{
	ret->image = image;
	ret->why = policy_quarantined(p, image_label(image)->sha256);
	return POLICY_QUARANTINED;
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
	if (is_quarantined(p, image))
		return answer_quarantined(p, image, ret);
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
	const struct platform_sources sources = { word.platform, d->crtp, d->board };
	const char *conflict = word.contradicts ? "The platform rules for its slot and for its "
						  "serial contradict one another."
						: platform_sources_conflict(&sources);
	struct image *image = word.image, *any = word.image;
	enum policy_answer answer;

	assert((unsigned)d->crtp < PLATFORM_COUNT);
	if (any == NULL)
		any = any_selected_of(p, platform_sources_possible(&sources));
	if (conflict == NULL && !may_be_flapper(p, &sources))
		choice.platform = platform_sources_decide(&sources);
	if (image == NULL)
		image = p->selected[choice.platform];
	if (has_lost_its_image(p, &word,
			       choice.platform != PLATFORM_UNKNOWN
				   ? BIT(choice.platform)
				   : platform_sources_possible(&sources))) {
		choice.why =
		    "The firmware selected for it cannot be used: 'cfdfuctl firmware list' "
		    "says why and what to do.";
		answer = POLICY_NO_IMAGE;
	} else if (any == NULL) {
		answer = POLICY_NO_IMAGE;
	} else if (conflict != NULL) {
		choice.why = conflict;
		answer = POLICY_DISAGREE;
	} else if (choice.platform == PLATFORM_UNKNOWN) {
		/* WHY: no mode is changed to find out which of the images it is not to get. */
		answer = is_quarantined(p, any) ? answer_quarantined(p, any, &choice)
						: answer_undecided(d, &choice);
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
