#pragma once
/*
 * tls: certificates for the server's own names and TLS connections, both ends.
 *
 * At first start a local certificate authority is made in the data directory (key 0600); server
 * certificates are issued from it for the name a client asks for (SNI), cached.
 */
#include "loop/loop.h"

struct tls_server;

/* Loads or makes ca.pem, ca.key in directory. */
int tls_server_new(struct str directory, struct tls_server **tls) MUST_USE;
void tls_server_free(struct tls_server *tls);
/* The authority's certificate file, for clients to trust. */
struct str tls_server_ca_path(const struct tls_server *tls);
