/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ctl/peer.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASSWD_LINES_MAX 4096 /* LIMIT: a look-up for the records only; then the number does */

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

/*
 * WHY: not getpwuid(3): it may ask a directory server and wait.  A user that only a directory knows
 * is recorded by number.
 */
static void
name_user(uid_t uid, char name[PEER_USER_MAX])
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p = NULL;

	snprintf(name, PEER_USER_MAX, "%lu", (unsigned long)uid);
	if (f == NULL)
		return;
	for (unsigned left = PASSWD_LINES_MAX; left > 0; left--) {
		p = fgetpwent(f);
		if (p == NULL || p->pw_uid == uid)
			break;
	}
	if (p != NULL && p->pw_uid == uid)
		copy_text(name, PEER_USER_MAX, p->pw_name);
	(void)fclose(f);
}

/* Root, the service's own user, or a member of the group ((gid_t)-1: there is none). */
static bool
may_change(const struct ucred *cred, const gid_t *groups, size_t group_count, gid_t change_gid)
{
	bool member = cred->gid == change_gid;

	for (size_t i = 0; i < group_count; i++)
		member = member || groups[i] == change_gid;
	return cred->uid == 0 || cred->uid == geteuid() || (member && change_gid != (gid_t)-1);
}

/* Supplementary groups in a malloc()ed array; none (NULL) on a kernel that does not tell. */
static int
get_groups(int fd, gid_t **ret_groups, size_t *ret_count)
{
	socklen_t bytes = 0;
	gid_t *groups;

	*ret_groups = NULL;
	*ret_count = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes) == 0 || errno != ERANGE)
		return 0;
	groups = malloc(bytes);
	if (groups == NULL)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) < 0) {
		int r = -errno;

		free(groups);
		return r;
	}
	*ret_groups = groups;
	*ret_count = bytes / sizeof(*groups);
	return 0;
}

int
peer_of_socket(int fd, gid_t change_gid, struct peer *ret_peer)
{
	struct ucred cred = { .pid = 0 };
	socklen_t bytes = sizeof(cred);
	gid_t *groups;
	size_t count;
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &bytes) < 0)
		return -errno;
	if (bytes != sizeof(cred) || cred.uid == (uid_t)-1)
		return -EPERM;
	r = get_groups(fd, &groups, &count);
	if (r < 0)
		return r;
	*ret_peer = (struct peer){ .uid = cred.uid, .gid = cred.gid, .pid = cred.pid };
	ret_peer->may_change = may_change(&cred, groups, count, change_gid);
	name_user(cred.uid, ret_peer->user);
	free(groups);
	return 0;
}
