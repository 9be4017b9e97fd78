#pragma once
/*
 * stream: an invocation whose answer is read while it is made. A task of its own runs the
 * invocation; the runtime's connection puts pieces, the reader takes them, and the faster of the
 * two waits for the other. Lives on loop 0.
 */
#include "runtime/runtime_internal.h"

#define STREAM_MAX (200 << 20)

/* The function begins to answer. type: its Content-Type. */
void stream_begin(struct runtime_stream *s, struct str type);
/* Waits while much is unread. When the reader has gone, bytes go nowhere. */
int stream_put(struct task *t, struct runtime_stream *s, struct str piece) MUST_USE;
struct runtime_stream *stream_ref(struct runtime_stream *s);
void stream_unref(struct runtime_stream *s);
