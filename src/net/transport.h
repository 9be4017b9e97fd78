#pragma once
/*
 * transport: bytes over a connection, in the clear or through TLS, alike for server and client.
 */
#include "loop/loop.h"

#include <sys/uio.h>

struct ssl_st;

struct transport {
	struct loop_fd fd;
	struct ssl_st *ssl; /* NULL: plain */
};

/* 0 at the end, -errno. */
ssize_t transport_read(
        struct task *t, struct transport *c, void *p, size_t n, uint64_t limit_ms) MUST_USE;
int transport_write(
        struct task *t, struct transport *c, struct str bytes, uint64_t limit_ms) MUST_USE;
/* Two pieces, one system call where possible. */
int transport_write2(struct task *t, struct transport *c, struct str head, struct str body,
        uint64_t limit_ms) MUST_USE;
/* The handshake of a new connection, as server or client. */
int transport_handshake(struct task *t, struct transport *c, uint64_t limit_ms) MUST_USE;
void transport_close(struct transport *c);
