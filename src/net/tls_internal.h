#pragma once
/* tls_internal: what server and client need of tls. */
#include "net/tls.h"
#include "net/transport.h"

/* Gives a new connection its server side of TLS. */
int tls_server_accept(struct task *t, struct tls_server *tls, struct transport *c) MUST_USE;
/* Connects TLS to host over c, verified unless insecure. */
int tls_client_connect(struct task *t, struct transport *c, struct str host, bool insecure,
        uint64_t limit_ms) MUST_USE;
