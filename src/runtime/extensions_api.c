/*
 * extensions_api: the Extensions API (2020-01-01), the Telemetry API (2022-07-01) and the Logs API
 * (2020-08-15) on the socket of the Runtime API.
 */
#include "runtime/extensions_api.h"
#include "runtime/telemetry.h"

#include "base/clock.h"
#include "base/rand.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "net/parser.h"

#include <stdio.h>

#define NAME_MAX_BYTES 128

static struct str header(const struct api_request *r, struct str name)
{
	return http_header_get(&r->parser.headers, name);
}

static int send(struct task *t, struct runtime_conn *c, struct str headers, struct str body)
{
	struct buf b = buf_init(task_arena(t));

	buf_printf(&b,
	        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%.*sContent-Length: "
	        "%zu\r\n\r\n",
	        STR(headers), body.n);
	return transport_write2(t, &c->transport, buf_str(&b), body, TASK_FOREVER);
}

static int refuse(
        struct task *t, struct runtime_conn *c, int status, struct str type, struct str what)
{
	struct buf b = buf_init(task_arena(t));
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("errorMessage"), str_sub(what, 0, 200));
	json_member_str(&w, S("errorType"), type);
	json_end(&w);
	buf_add_char(&b, '\n');
	return runtime_api_answer(t, c, status, buf_str(&b));
}

static int forbidden(struct task *t, struct runtime_conn *c, const char *type, struct str what)
{
	return refuse(t, c, 403, str_of(type), what);
}

/* Whose call it is; when *x is NULL the answer has been given. */
static int caller(
        struct task *t, struct runtime_conn *c, const struct api_request *r, struct extension **x)
{
	struct str id = header(r, S("lambda-extension-identifier"));

	*x = NULL;
	if (!id.n)
		return forbidden(t, c, "Extension.MissingExtensionIdentifier",
		        S("Missing Lambda-Extension-Identifier header"));
	if (id.n != 36)
		return forbidden(t, c, "Extension.InvalidExtensionIdentifier",
		        S("Invalid Lambda-Extension-Identifier"));
	*x = extension_find(c->env, id);
	if (!*x)
		return forbidden(
		        t, c, "Extension.UnknownExtensionIdentifier", S("Unknown extension"));
	return 0;
}

/* ---- register ---- */

static bool take_events(struct extension *x, yyjson_val *root)
{
	size_t i, max;
	yyjson_val *v;

	yyjson_arr_foreach(json_get(root, "events"), i, max, v)
	{
		struct str event = json_str_of(v);
		if (str_eq(event, S("INVOKE")))
			x->invoke = true;
		else if (str_eq(event, S("SHUTDOWN")) && x->external)
			x->shutdown = true;
		else
			return false;
	}
	return true;
}

static struct str registration(struct arena *a, const struct env *e, bool account)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("functionName"), e->pool->f.name);
	json_member_str(&w, S("functionVersion"), e->pool->f.version);
	json_member_str(&w, S("handler"), e->pool->f.handler);
	if (account)
		json_member_str(&w, S("accountId"), e->pool->f.account);
	json_end(&w);
	return buf_str(&b);
}

static int may_register(
        struct task *t, struct runtime_conn *c, const struct api_request *r, bool *may)
{
	struct str name = header(r, S("lambda-extension-name"));
	struct env *e = c->env;

	*may = false;
	if (!name.n || name.n > NAME_MAX_BYTES)
		return forbidden(
		        t, c, "Extension.InvalidExtensionName", S("Invalid extension name"));
	if (!e->pool || e->state > ENV_INIT ||
	        (e->extensions && e->extensions->registration_closed))
		return forbidden(t, c, "Extension.RegistrationClosed",
		        S("Extension registration closed already"));
	struct extension *x = extension_find_name(e, name);
	if (x && x->state != EXTENSION_STARTED)
		return forbidden(t, c, "Extension.AlreadyRegistered",
		        S("Extension with this name already registered"));
	*may = true;
	return 0;
}

static int do_register(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct str name = header(r, S("lambda-extension-name"));
	struct arena *a = task_arena(t);
	yyjson_val *root = NULL;
	bool may;

	TRY(may_register(t, c, r, &may));
	if (!may)
		return 0;
	if (r->body.n && json_parse(a, r->body, &root) != 0)
		return refuse(t, c, 400, S("InvalidRequestFormat"), S("Invalid JSON"));
	struct extension *x = extension_find_name(c->env, name);
	struct extension asked = { .external = x != NULL };
	if (!take_events(&asked, root))
		return forbidden(t, c, "Extension.InvalidEventType",
		        S("Invalid event type, or one that is not for internal extensions"));
	if (!x)
		x = extension_new(c->env, name);
	if (!x)
		return forbidden(
		        t, c, "Extension.TooManyExtensions", S("Extension limit (10) exceeded"));
	x->invoke = asked.invoke;
	x->shutdown = asked.shutdown;
	x->state = EXTENSION_REGISTERED;
	snprintf(x->id, sizeof x->id, "%.*s", STR(rand_uuid(a)));
	bool account =
	        str_find(header(r, S("lambda-extension-accept-feature")), S("accountId")) >= 0;
	TRY(runtime_api_flush(t, c));
	return send(t, c, str_printf(a, "Lambda-Extension-Identifier: %s\r\n", x->id),
	        registration(a, c->env, account));
}

/* ---- the others ---- */

static int wait_for_event(struct task *t, struct runtime_conn *c, struct extension *x)
{
	TRY(runtime_api_flush(t, c));
	extension_asks(x);
	while (!x->event.p)
		TRY(cond_wait(t, &x->has_event, TASK_FOREVER));
	struct str event = str_dup(task_arena(t), x->event);
	x->event = (struct str){ 0 };
	return send(t, c,
	        str_printf(task_arena(t), "Lambda-Extension-Event-Identifier: %.*s\r\n",
	                STR(rand_uuid(task_arena(t)))),
	        event);
}

static int next(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct extension *x;

	TRY(caller(t, c, r, &x));
	if (!x)
		return 0;
	if (x->state == EXTENSION_WAITING || x->state == EXTENSION_ENDED)
		return forbidden(t, c, "Extension.InvalidExtensionState",
		        S("State transition is not allowed"));
	return wait_for_event(t, c, x);
}

static int report_failure(struct task *t, struct runtime_conn *c, struct api_request *r, bool init)
{
	struct extension *x;
	struct str type = header(r, S("lambda-extension-function-error-type"));

	TRY(caller(t, c, r, &x));
	if (!x)
		return 0;
	if (!type.n)
		return forbidden(t, c, "Extension.MissingHeader",
		        S("Lambda-Extension-Function-Error-Type not found"));
	if (x->state == EXTENSION_ENDED || (init && x->state != EXTENSION_REGISTERED))
		return forbidden(t, c, "Extension.InvalidExtensionState",
		        S("State transition is not allowed"));
	TRY(runtime_api_accepted(t, c));
	TRY(runtime_api_flush(t, c));
	extensions_failed(x, str_sub(type, 0, 128));
	return 0;
}

static int init_error(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	return report_failure(t, c, r, true);
}

static int exit_error(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	return report_failure(t, c, r, false);
}

/* ---- subscriptions ---- */

static int bad_subscription(struct task *t, struct runtime_conn *c, const char *what)
{
	return refuse(t, c, 400, S("ValidationError"), str_of(what));
}

static const char *take_types(struct telemetry_wish *wish, yyjson_val *types)
{
	static const struct str names[] = { S_INIT("platform"), S_INIT("function"),
		S_INIT("extension") };
	size_t i, max;
	yyjson_val *v;

	yyjson_arr_foreach(types, i, max, v)
	{
		size_t k = 0;
		while (k < ARRAY_LEN(names) && !str_eq(json_str_of(v), names[k]))
			k++;
		if (k == ARRAY_LEN(names))
			return "types may be platform, function and extension";
		wish->types |= 1u << k;
	}
	return wish->types ? NULL : "types may not be empty";
}

static const char *take_destination(struct telemetry_wish *wish, yyjson_val *destination)
{
	struct uri uri;
	struct str text = json_get_str(destination, "URI");
	struct str protocol = json_get_str(destination, "protocol");

	if (!str_eq(protocol, S("HTTP")))
		return "destination.protocol must be HTTP";
	if (uri_parse(text, &uri) != 0 || !str_eq(uri.scheme, S("http")) ||
	        (!str_eq(uri.host, S("sandbox")) && !str_eq(uri.host, S("sandbox.localdomain"))))
		return "destination.URI must be http://sandbox.localdomain:port/path";
	if (uri.port == RUNTIME_PORT)
		return "the port of the destination is taken";
	wish->port = (uint16_t)uri.port;
	wish->path = uri.path.n ? uri.path : S("/");
	return NULL;
}

static const struct {
	const char *name;
	size_t at;
	int64_t min, max;
	int64_t otherwise;
} buffering[] = {
	{ "maxItems", offsetof(struct telemetry_wish, max_items), 1000, 10000, 10000 },
	{ "maxBytes", offsetof(struct telemetry_wish, max_bytes), 262144, 1048576, 262144 },
	{ "timeoutMs", offsetof(struct telemetry_wish, timeout_ms), 25, 30000, 1000 },
};

static const char *take_buffering(struct telemetry_wish *wish, yyjson_val *settings)
{
	for (size_t i = 0; i < ARRAY_LEN(buffering); i++) {
		int64_t v = json_get_i64(settings, buffering[i].name, buffering[i].otherwise);
		if (v < buffering[i].min || v > buffering[i].max)
			return "buffering: maxItems 1000 to 10000, maxBytes 262144 to 1048576, "
			       "timeoutMs 25 to 30000";
		*(uint32_t *)((char *)wish + buffering[i].at) = (uint32_t)v;
	}
	return NULL;
}

static const char *take_schema(struct telemetry_wish *wish, struct str schema)
{
	static const struct str known[2][3] = {
		{ S_INIT("2022-07-01"), S_INIT("2022-12-13"), S_INIT("2025-01-29") },
		{ S_INIT("2020-08-15"), S_INIT("2021-03-18"), S_INIT("2021-03-18") },
	};

	wish->schema = schema.p ? schema : known[wish->logs_api][0];
	for (size_t i = 0; i < 3; i++)
		if (str_eq(wish->schema, known[wish->logs_api][i]))
			return NULL;
	return "schemaVersion is not known";
}

static int subscribe(struct task *t, struct runtime_conn *c, struct api_request *r, bool logs_api)
{
	struct telemetry_wish wish = { .logs_api = logs_api };
	struct extension *x;
	yyjson_val *root;

	TRY(caller(t, c, r, &x));
	if (!x)
		return 0;
	if (c->env->extensions->registration_closed)
		return refuse(t, c, 403,
		        logs_api ? S("Logs.SubscriptionClosed") : S("Telemetry.SubscriptionClosed"),
		        S("Subscription is closed already"));
	if (json_parse(task_arena(t), r->body, &root) != 0)
		return bad_subscription(t, c, "the body is not JSON");
	const char *bad = take_schema(&wish, json_get_str(root, "schemaVersion"));
	if (!bad)
		bad = take_types(&wish, json_get(root, "types"));
	if (!bad)
		bad = take_destination(&wish, json_get(root, "destination"));
	if (!bad)
		bad = take_buffering(&wish, json_get(root, "buffering"));
	if (bad)
		return bad_subscription(t, c, bad);
	telemetry_subscribe(x, &wish);
	TRY(runtime_api_flush(t, c));
	return send(t, c, S(""), S("\"OK\""));
}

static int subscribe_telemetry(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	return subscribe(t, c, r, false);
}

static int subscribe_logs(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	return subscribe(t, c, r, true);
}

/* ---- the table ---- */

static const struct {
	struct str method, path;
	int (*serve)(struct task *t, struct runtime_conn *c, struct api_request *r);
} routes[] = {
	{ S_INIT("POST"), S_INIT("/2020-01-01/extension/register"), do_register },
	{ S_INIT("GET"), S_INIT("/2020-01-01/extension/event/next"), next },
	{ S_INIT("POST"), S_INIT("/2020-01-01/extension/init/error"), init_error },
	{ S_INIT("POST"), S_INIT("/2020-01-01/extension/exit/error"), exit_error },
	{ S_INIT("PUT"), S_INIT("/2022-07-01/telemetry"), subscribe_telemetry },
	{ S_INIT("PUT"), S_INIT("/2020-08-15/logs"), subscribe_logs },
};

bool extensions_api_route(struct task *t, struct runtime_conn *c, struct api_request *r, int *bad)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (str_eq(r->parser.method, routes[i].method) && str_eq(r->path, routes[i].path)) {
			*bad = routes[i].serve(t, c, r);
			return true;
		}
	return false;
}
