/* SPDX-License-Identifier: MIT */
/* Which platforms the selection of an image is for, and which keep what they have. */
#include "config.h"

#include "core/policy.h"

#include <errno.h>

/* Those of the platforms that have another image selected. */
static unsigned
taken_platforms(const struct policy *p, const struct image *image, unsigned platforms)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < PLATFORM_COUNT; i++)
		if ((platforms & BIT(i)) != 0 && policy_selected(p, (enum platform)i) != NULL &&
		    !image_same(policy_selected(p, (enum platform)i), image))
			taken |= BIT(i);
	return taken;
}

static bool
have_one_image(const struct policy *p, unsigned platforms)
{
	const struct image *first = NULL;

	for (unsigned i = 0; i < PLATFORM_COUNT; i++) {
		if ((platforms & BIT(i)) == 0)
			continue;
		if (first != NULL && !image_same(first, policy_selected(p, (enum platform)i)))
			return false;
		first = policy_selected(p, (enum platform)i);
	}
	return true;
}

int
policy_platforms_for(const struct policy *p, const struct image *image, enum platform named,
		     unsigned *ret_chosen, unsigned *ret_kept)
{
	unsigned fits = image_label(image)->platforms, taken = taken_platforms(p, image, fits);

	*ret_kept = 0;
	*ret_chosen = named != PLATFORM_UNKNOWN ? BIT(named) : fits;
	if (named != PLATFORM_UNKNOWN)
		return fits != 0 && (fits & BIT(named)) == 0 ? -EPERM : 0;
	if (fits == 0)
		return -EINVAL;
	if ((fits & (fits - 1)) == 0 || (taken == fits && have_one_image(p, fits)))
		return 0;
	*ret_chosen = fits & ~taken;
	*ret_kept = taken;
	return *ret_chosen == 0 ? -EEXIST : 0;
}
