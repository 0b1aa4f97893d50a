/* SPDX-License-Identifier: MIT */
/* Calls: a request becomes a call of a handler or an error; answers become messages. */
#include "config.h"

#include "ctl/call.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "cfdfu/proto.h"
#include "wire/text.h"
#include "wire/varlink.h"

#define REASON_MAX 1024
#define SERVICE(name) PROTO_SERVICE "." name

struct call {
	struct caller *caller;
	const struct method_signature *signature;
	json_t *parameters;
	void *data;
	int fd;
	bool oneway;
	bool in_handler; /* not freed before its handler has returned */
	bool answered;
};

static const char service_description[] =
    "# The methods of every Varlink service.\n"
    "interface org.varlink.service\n"
    "\n"
    "method GetInfo() -> (\n"
    "  vendor: string,\n"
    "  product: string,\n"
    "  version: string,\n"
    "  url: string,\n"
    "  interfaces: []string\n"
    ")\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n"
    "\n"
    "error InterfaceNotFound (interface: string)\n"
    "error MethodNotFound (method: string)\n"
    "error MethodNotImplemented (method: string)\n"
    "error InvalidParameter (parameter: string)\n"
    "error PermissionDenied ()\n"
    "error ExpectedMore ()\n";

/*
 * Queues one message; what cannot be built breaks the connection: the client must not wait for
 * ever.
 */
static void
send_reply(struct caller *c, const char *error, json_t *take_parameters, unsigned flags)
{
	char *text = NULL;
	size_t count = 0;
	int r = -ENOMEM;

	if (take_parameters != NULL)
		r = varlink_format_reply(error, take_parameters, flags, PROTO_REPLY_BYTES_MAX,
					 &text, &count);
	json_decref(take_parameters);
	if (r == -EMSGSIZE) {
		json_t *why = json_pack("{s:s}", "reason", "the answer would be too long");

		r = varlink_format_reply(PROTO_ERROR("Failed"), why, 0, PROTO_REPLY_BYTES_MAX,
					 &text, &count);
		json_decref(why);
	}
	if (r < 0)
		c->transport->break_off(c);
	else
		c->transport->send(c, text, count);
}

/* An error before there is a call object.  value may be text of the client. */
static void
answer_error(struct caller *c, bool oneway, const char *error, const char *key, const char *value)
{
	if (!oneway)
		send_reply(c, error, json_pack("{s:o}", key, text_json(value)), 0);
}

void
call_reject(struct caller *c, const char *why)
{
	answer_error(c, false, PROTO_ERROR("Refused"), "reason", why);
	c->transport->finish(c);
}

static void
free_call(struct call *call)
{
	if (call->fd >= 0)
		(void)close(call->fd);
	json_decref(call->parameters);
	free(call);
}

/* Answers the call when its parameters are not what the specs say. */
static bool
has_right_parameters(struct caller *c, const struct varlink_call *v, const struct param_spec *specs)
{
	const char *bad = params_check(specs, v->parameters);

	if (bad != NULL)
		answer_error(c, v->oneway, SERVICE("InvalidParameter"), "parameter", bad);
	return bad == NULL;
}

static void
get_info(struct caller *c, const struct varlink_call *v)
{
	if (v->oneway)
		return;
	send_reply(c, NULL,
		   json_pack("{s:s,s:s,s:s,s:s,s:[s,s]}", "vendor", "cfdfud", "product",
			     "Crazyflie flashing station", "version", c->options->version, "url",
			     "https://github.com/bitcraze", "interfaces", PROTO_SERVICE,
			     PROTO_INTERFACE),
		   0);
}

static void
get_description(struct caller *c, const struct varlink_call *v)
{
	const char *name = json_string_value(json_object_get(v->parameters, "interface"));
	const char *text = NULL;

	if (strcmp(name, PROTO_INTERFACE) == 0)
		text = station_description;
	else if (strcmp(name, PROTO_SERVICE) == 0)
		text = service_description;
	if (text == NULL)
		answer_error(c, v->oneway, SERVICE("InterfaceNotFound"), "interface", name);
	else if (!v->oneway)
		send_reply(c, NULL, json_pack("{s:s}", "description", text), 0);
}

/* The methods of org.varlink.service; true when it was one of them. */
static bool
answer_service(struct caller *c, const struct varlink_call *v)
{
	static const struct {
		const char *name;
		struct param_spec specs[2];
		void (*answer)(struct caller *c, const struct varlink_call *v);
	} methods[] = {
		{ SERVICE("GetInfo"), { { NULL, 0, false } }, get_info },
		{ SERVICE("GetInterfaceDescription"),
		  { { "interface", PARAM_STRING, true } },
		  get_description },
	};
	size_t i = 0;

	while (i < ARRAY_LEN(methods) && strcmp(v->method, methods[i].name) != 0)
		i++;
	if (i == ARRAY_LEN(methods))
		return false;
	if (has_right_parameters(c, v, methods[i].specs))
		methods[i].answer(c, v);
	return true;
}

static const struct method_signature *
find_method(const struct server_options *o, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < o->method_count; i++)
		if (strcmp(o->signatures[i].name, name) == 0) {
			*ret_index = i;
			return &o->signatures[i];
		}
	return NULL;
}

static void
unknown_method(struct caller *c, const struct varlink_call *v)
{
	size_t length = varlink_interface_length(v->method);
	char interface[128];

	(void)snprintf(interface, sizeof(interface), "%.*s", (int)length, v->method); /* or cut */
	if (strcmp(interface, PROTO_INTERFACE) == 0 || strcmp(interface, PROTO_SERVICE) == 0)
		answer_error(c, v->oneway, SERVICE("MethodNotFound"), "method", v->method);
	else
		answer_error(c, v->oneway, SERVICE("InterfaceNotFound"), "interface", interface);
}

static void
deny(struct caller *c, const struct varlink_call *v, const char *method)
{
	const struct server_options *o = c->options;
	const char *group = o->change_group != NULL ? o->change_group : PROTO_GROUP;
	char reason[REASON_MAX];

	if (o->denied != NULL)
		o->denied(o->ctx, &c->peer, method);
	if (v->oneway)
		return;
	(void)snprintf(reason, sizeof(reason),
		       o->change_gid == (gid_t)-1
			   ? "only root may change things here: there is no group %s"
			   : "only root and members of the group %s may change things here",
		       group);
	send_reply(c, PROTO_ERROR("NotPermitted"),
		   json_pack("{s:o,s:o}", "group", text_json(group), "reason", text_json(reason)),
		   0);
}

/* Whether the call is what the signature asks for; answers it when it is not. */
static bool
is_legal(struct caller *c, const struct varlink_call *v, const struct method_signature *m, int fd)
{
	if (v->oneway && (m->flags & METHOD_CHANGES) == 0)
		return false; /* nothing would be told and nothing changed */
	if (v->upgrade) {
		answer_error(c, v->oneway, SERVICE("MethodNotImplemented"), "method", v->method);
		return false;
	}
	if ((m->flags & METHOD_CHANGES) && !c->peer.may_change) {
		deny(c, v, m->name);
		return false;
	}
	if ((m->flags & METHOD_STREAMS) && !v->more) {
		send_reply(c, SERVICE("ExpectedMore"), json_object(), 0);
		return false;
	}
	if (!has_right_parameters(c, v, m->params))
		return false;
	if ((m->flags & METHOD_DESCRIPTOR) && fd < 0) {
		answer_error(c, v->oneway, PROTO_ERROR("BadDescriptor"), "reason",
			     "this call needs a file's descriptor beside it");
		return false;
	}
	return true;
}

/* Gives the call to its handler.  fd is taken. */
static void
run_handler(struct caller *c, const struct varlink_call *v, size_t index, int fd)
{
	const struct server_options *o = c->options;
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		if (fd >= 0)
			(void)close(fd);
		c->transport->break_off(c);
		return;
	}
	*call = (struct call){ .caller = c,
			       .signature = &o->signatures[index],
			       .parameters = json_incref(v->parameters),
			       .fd = fd,
			       .oneway = v->oneway,
			       .in_handler = true };
	c->call = call;
	o->handlers[index](o->ctx, call, v->parameters);
	call->in_handler = false;
	if (call->answered)
		free_call(call);
}

void
call_dispatch(struct caller *c, const char *text, size_t count, int take_fd)
{
	struct varlink_call v = { .whole = NULL };
	const char *why = "out of memory";
	const struct method_signature *m;
	size_t index = 0;

	if (varlink_parse_call(text, count, &v, &why) < 0) {
		call_reject(c, why);
		goto out;
	}
	if (answer_service(c, &v))
		goto out;
	m = find_method(c->options, v.method, &index);
	if (m == NULL) {
		unknown_method(c, &v);
	} else if (is_legal(c, &v, m, take_fd)) {
		bool wants = (m->flags & METHOD_DESCRIPTOR) != 0;

		run_handler(c, &v, index, wants ? take_fd : -1);
		if (wants)
			take_fd = -1;
	}
out:
	if (take_fd >= 0)
		(void)close(take_fd); /* unexpected, or of a call that was refused */
	varlink_call_done(&v);
}

const struct peer *
call_peer(const struct call *call)
{
	return &call->caller->peer;
}

const char *
call_method(const struct call *call)
{
	return call->signature->name;
}

json_t *
call_parameters(const struct call *call)
{
	return call->parameters;
}

void *
call_data(const struct call *call)
{
	return call->data;
}

void
call_set_data(struct call *call, void *data)
{
	call->data = data;
}

int
call_take_fd(struct call *call)
{
	int fd = call->fd;

	call->fd = -1;
	return fd;
}

/* The answer that ends the call. */
static void
end_call(struct call *call, const char *error, json_t *take_parameters)
{
	struct caller *c = call->caller;
	const struct server_options *o = c->options;

	assert(c->call == call && !call->answered);
	if (o->answered != NULL && (call->signature->flags & METHOD_CHANGES))
		o->answered(o->ctx, call, error, take_parameters);
	call->answered = true;
	c->call = NULL;
	if (call->oneway)
		json_decref(take_parameters);
	else
		send_reply(c, error, take_parameters, 0);
	if (!call->in_handler)
		free_call(call);
	c->transport->answered(c);
}

void
call_reply(struct call *call, json_t *take_parameters)
{
	call_error(call, NULL, take_parameters);
}

void
call_error(struct call *call, const char *error, json_t *take_parameters)
{
	if (take_parameters == NULL)
		call_refuse(call, PROTO_ERROR("Failed"), "out of memory");
	else
		end_call(call, error, take_parameters);
}

void
call_refuse(struct call *call, const char *error, const char *fmt, ...)
{
	char reason[REASON_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args); /* cut when too long */
	va_end(args);
	end_call(call, error, json_pack("{s:o}", "reason", text_json(reason)));
}

void
call_invalid(struct call *call, const char *parameter)
{
	end_call(call, SERVICE("InvalidParameter"), json_pack("{s:s}", "parameter", parameter));
}

int
call_continue(struct call *call, json_t *take_parameters)
{
	struct caller *c = call->caller;
	size_t count = 0;
	char *text;
	int r = -ENOMEM;

	assert(call->signature->flags & METHOD_STREAMS);
	if (take_parameters != NULL)
		r = varlink_format_reply(NULL, take_parameters, VARLINK_CONTINUES,
					 PROTO_REPLY_BYTES_MAX, &text, &count);
	json_decref(take_parameters);
	if (r < 0)
		return r == -EMSGSIZE ? -ENOMEM : r;
	if (call->oneway) {
		free(text);
		return 0;
	}
	return c->transport->stream(c, text, count);
}

void
call_abandon(struct caller *c, bool tell)
{
	struct call *call = c->call;

	if (call == NULL)
		return;
	if (tell && c->options->gone != NULL)
		c->options->gone(c->options->ctx, call);
	c->call = NULL;
	free_call(call);
}
