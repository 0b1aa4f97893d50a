/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/web/site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "client/web/watchers.h"

enum {
	PATIENCE_S = 10,	 /* LIMIT: for a whole request, and between two */
	HEADER_BYTES_MAX = 8192, /* LIMIT: a browser sends below 1 kB */
	NAME_BYTES_MAX = 256,	 /* LIMIT: a DNS name has 253 */
};

static const char *const pages[][3] = {
	/* path, file, type */
	{ "/", "index.html", "text/html; charset=utf-8" },
	{ "/style.css", "style.css", "text/css; charset=utf-8" },
	{ "/model.js", "model.js", "text/javascript; charset=utf-8" },
	{ "/view.js", "view.js", "text/javascript; charset=utf-8" },
	{ "/link-sse.js", "link-sse.js", "text/javascript; charset=utf-8" },
};

/* The page runs its own scripts alone, and is in no other page's frame. */
static const char *const headers[][2] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	  "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cache-Control", "no-store" },
};

struct site {
	const char *const *hosts;
	struct watchers *watchers;
	int files; /* their directory */
};

/*
 * Whether a Host header, with or without a port, is an IP address, localhost or a name of ours.
 * WHY: a foreign page can have its own name resolved to this machine; its browser sends that name.
 */
static bool
is_ours(const struct site *s, const char *host)
{
	bool bracket = host[0] == '[';
	size_t length = strcspn(host + bracket, bracket ? "]" : ":");
	char name[NAME_BYTES_MAX];
	struct in6_addr address;
	bool numeric;

	if (length >= sizeof(name))
		return false;
	copy_text(name, length + 1, host + bracket);
	if (length > 0 && name[length - 1] == '.') /* SPEC: RFC 1034 3.1: the same name */
		name[length - 1] = '\0';
	numeric = inet_pton(bracket ? AF_INET6 : AF_INET, name, &address) == 1;
	if (bracket || numeric)
		return numeric;
	for (const char *const *one = s->hosts; *one != NULL; one++)
		if (strcasecmp(name, *one) == 0)
			return true;
	return strcasecmp(name, "localhost") == 0;
}

/* Whether another site's page asks, as far as its browser says.  Links may lead to a page. */
static bool
is_foreign(struct evkeyvalq *in, const char *host, bool may_link)
{
	const char *origin = evhttp_find_header(in, "Origin");
	const char *site = evhttp_find_header(in, "Sec-Fetch-Site");

	if (origin != NULL) {
		const char *name = strstr(origin, "://");

		return name == NULL || strcasecmp(name + 3, host) != 0;
	}
	return !may_link && site != NULL && strcmp(site, "same-origin") != 0 &&
	       strcmp(site, "none") != 0;
}

static void
refuse(struct evhttp_request *request, int code, const char *reason, const char *sentence)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(request);
	struct evbuffer *text = evbuffer_new();

	if (text != NULL)
		(void)evbuffer_add_printf(text, "%s\n", sentence); /* without memory: no sentence */
	(void)evhttp_add_header(out, "Content-Type", "text/plain; charset=utf-8");
	evhttp_send_reply(request, code, reason, text);
	if (text != NULL)
		evbuffer_free(text);
}

/* WHY read each time: a page that finds a newer station loads itself again, and is newer then. */
static void
send_page(struct site *s, struct evhttp_request *request, size_t i)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(request);
	struct evbuffer *text = evbuffer_new();
	int fd = openat(s->files, pages[i][1], O_RDONLY | O_CLOEXEC), n = -1;

	while (fd >= 0 && text != NULL && (n = evbuffer_read(text, fd, -1)) > 0)
		;
	if (n == 0 && evhttp_add_header(out, "Content-Type", pages[i][2]) == 0)
		evhttp_send_reply(request, HTTP_OK, "OK", text);
	else
		refuse(request, HTTP_INTERNAL, "Internal Server Error", "The page cannot be read.");
	if (text != NULL)
		evbuffer_free(text);
	if (fd >= 0)
		(void)close(fd); /* was only read */
}

static void
on_request(struct evhttp_request *request, void *arg)
{
	struct site *s = arg;
	struct evkeyvalq *in = evhttp_request_get_input_headers(request);
	const char *uri = evhttp_request_get_uri(request), *why = NULL;
	const char *host = evhttp_find_header(in, "Host");
	size_t length = strcspn(uri, "?"), i = 0;
	bool watch = length == strlen("/watch") && memcmp(uri, "/watch", length) == 0;

	while (i < ARRAY_LEN(pages) &&
	       (strlen(pages[i][0]) != length || memcmp(uri, pages[i][0], length) != 0))
		i++;
	for (size_t h = 0; h < ARRAY_LEN(headers); h++)
		(void)evhttp_add_header(evhttp_request_get_output_headers(request), headers[h][0],
					headers[h][1]); /* out of memory: the next one sees it */
	if (host == NULL || !is_ours(s, host))
		refuse(request, 421, "Misdirected Request",
		       "This server has another name: see --host in cfdfu-web(8).");
	else if (is_foreign(in, host, !watch))
		refuse(request, 403, "Forbidden", "A page of another site asks.");
	else if (watch && (why = watchers_add(s->watchers, request)) != NULL)
		refuse(request, HTTP_SERVUNAVAIL, "Service Unavailable", why);
	else if (!watch && i < ARRAY_LEN(pages))
		send_page(s, request, i);
	else if (!watch)
		refuse(request, HTTP_NOTFOUND, "Not Found", "There is no such page.");
}

int
site_new(struct evhttp *http, const char *files, const char *const *hosts,
	 struct watchers *watchers)
{
	struct site *s = calloc(1, sizeof(*s));

	if (s == NULL || watchers == NULL)
		return -ENOMEM; /* of a process that ends now */
	*s = (struct site){ hosts, watchers, open(files, O_PATH | O_DIRECTORY | O_CLOEXEC) };
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET);
	evhttp_set_max_headers_size(http, HEADER_BYTES_MAX);
	evhttp_set_max_body_size(http, 0);
	evhttp_set_timeout(http, PATIENCE_S);
	evhttp_set_gencb(http, on_request, s);
	return s->files < 0 ? -errno : 0;
}
