#pragma once
/*
 * runtime_api: what the parts of the API inside a sandbox share: one request of a connection, how
 * the rest of it is read, and how it is answered.
 */
#include "net/parser.h"
#include "runtime/runtime_internal.h"

struct api_request {
	struct http_parser parser;
	struct str path;
	struct str body;
	bool too_large;
	bool streams;  /* a streamed response: its body is not read yet */
	struct str id; /* of the invocation that the path names */
};

/* Held back until the connection waits for more. */
int runtime_api_answer(
        struct task *t, struct runtime_conn *c, int status, struct str body) MUST_USE;
int runtime_api_flush(struct task *t, struct runtime_conn *c) MUST_USE;
int runtime_api_accepted(struct task *t, struct runtime_conn *c) MUST_USE;
int runtime_api_bad_id(struct task *t, struct runtime_conn *c) MUST_USE;
int runtime_api_bad_transition(struct task *t, struct runtime_conn *c) MUST_USE;
/* Bytes that are there, and more of them. */
struct str runtime_api_unread(const struct runtime_conn *c);
int runtime_api_fill(struct task *t, struct runtime_conn *c) MUST_USE;
/* Does the id name the invocation that runs, and has it no answer yet? */
bool runtime_api_is_current(const struct env *e, struct str id);
bool runtime_api_is_running(const struct env *e);

struct str runtime_api_error_type(const struct api_request *r);
struct str runtime_api_document(struct task *t, const struct api_request *r);

/* ---- snapshot.c ---- */
int snapshot_next(struct task *t, struct runtime_conn *c, struct api_request *r) MUST_USE;
int snapshot_restore_error(struct task *t, struct runtime_conn *c, struct api_request *r) MUST_USE;

/* ---- runtime_api_stream.c ---- */
bool runtime_api_is_stream(const struct api_request *r);
int runtime_api_stream(struct task *t, struct runtime_conn *c, struct api_request *r) MUST_USE;
