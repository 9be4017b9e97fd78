#pragma once
/*
 * telemetry: what happens in an environment, for its extensions: events of the platform, lines of
 * the function and of extensions, collected per subscriber and posted to a server inside the
 * sandbox. The Telemetry API (2022-07-01) and the older Logs API (2020-08-15) alike.
 *
 * Lambda Developer Guide, "Accessing real-time telemetry data using the Telemetry API".
 */
#include "runtime/extensions.h"

enum telemetry_type {
	TELEMETRY_PLATFORM = 1,
	TELEMETRY_FUNCTION = 2,
	TELEMETRY_EXTENSION = 4,
};

/* What Telemetry and Logs API accept; 0 means the default. */
struct telemetry_wish {
	bool logs_api;
	unsigned types;
	uint16_t port;
	struct str path;
	struct str schema;
	uint32_t max_items, max_bytes, timeout_ms;
};

struct telemetry *telemetry_new(struct env *e);
void telemetry_free(struct telemetry *m);
/* Replaces an earlier subscription of the same extension. It gets what there was of init, too. */
void telemetry_subscribe(struct extension *x, const struct telemetry_wish *wish);
/* A complete event as JSON. name: "platform.start". */
void telemetry_platform(struct env *e, struct str name, struct str json);
/* A line of a program: record is it as text, or as JSON when it is an object and the function logs
 * so. */
void telemetry_line(struct env *e, enum telemetry_type type, struct str line);
/* What is collected goes out now. */
void telemetry_flush(struct env *e);
/* Is there something not yet delivered? */
bool telemetry_is_pending(const struct env *e);
/* The init phase is over: later subscribers get nothing of before. */
void telemetry_end_init(struct env *e);
