#pragma once
/*
 * conn: one served connection: its buffer, its parser, its place in the server's lists.
 */
#include "base/list.h"
#include "net/parser.h"
#include "net/server.h"
#include "net/transport.h"

struct http_server {
	struct loop *loop;
	struct http_server_options options;
	struct loop_fd listener;
	struct task *acceptor;
	struct list conns; /* the longest idle first */
	size_t n_conns;
	bool stopping;
};

struct http_conn {
	struct list_node node;
	struct http_server *server; /* NULL: served by http_serve_connection */
	struct task *task;
	const struct http_server_options *options;
	struct transport transport;
	struct http_parser parser;
	struct stream body;
	struct str peer_ip;
	char peer_text[48];
	int peer_port;
	/* bytes read: [0, head_n) the head, [at, n) not yet used */
	char *in;
	size_t capacity, head_n, at, n;
	int64_t body_left; /* of a body with a length */
	int body_error;    /* what reading the body ended with */
	bool idle, close_after, continue_due, head_method, began, ended, chunked_out, sent_continue;
};

uint64_t conn_body_limit_ms(const struct http_conn *c);
