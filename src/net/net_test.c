/* Tests of the server against raw bytes, and of the client against the server. */
#include "net/client.h"
#include "net/server.h"
#include "net/tls.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct http_server *server;
static int port;

static int echo(struct task *t, struct http_exchange *x)
{
	struct str body, path = x->request.path;
	struct http_headers h = { 0 };

	if (str_eq(path, S("/nothing")))
		return -EIO;
	if (str_eq(path, S("/ignore")))
		return http_respond(t, x, 200, NULL, S("ignored"));
	TRY(stream_read_all(t, x->request.body, task_arena(t), 1 << 20, &body));
	if (str_eq(path, S("/chunks"))) {
		TRY(http_respond_begin(t, x, 200, NULL, -1));
		TRY(http_respond_write(t, x, S("one")));
		TRY(http_respond_write(t, x, S("two")));
		return http_respond_end(t, x);
	}
	http_header_add(task_arena(t), &h, S("X-Path"), path);
	return http_respond(t, x, 200, &h, body);
}

typedef int script(struct task *t);

struct run {
	script *fn;
	struct http_server_options options;
	int result;
};

static int run_task(struct task *t, void *arg)
{
	struct run *r = arg;
	struct sockaddr_in in;
	socklen_t n = sizeof in;
	int fd = http_listen(S("127.0.0.1"), 0);

	assert_true(fd >= 0);
	getsockname(fd, (struct sockaddr *)&in, &n);
	port = ntohs(in.sin_port);
	assert_int_equal(http_server_start(task_loop(t), fd, &r->options, &server), 0);
	r->result = r->fn(t);
	http_client_close(task_loop(t));
	assert_int_equal(http_server_stop(t, server, 100), 0);
	return 0;
}

static void run_with(script *fn, struct http_server_options options)
{
	struct loop *loop = loop_new();
	struct run r = { fn, options, -1 };

	r.options.handler = echo;
	task_start(loop, "test", run_task, &r);
	loop_run(loop);
	assert_int_equal(r.result, 0);
	loop_free(loop);
}

/* Sends bytes, reads until the server closes or falls silent for 100 ms. */
static struct str raw(struct task *t, struct str bytes)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct buf b = buf_init(task_arena(t));
	struct loop_fd f;
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(loop_fd_init(&f, task_loop(t), fd), 0);
	assert_int_equal(loop_fd_write_all(t, &f, bytes, 1000), 0);
	while ((n = loop_fd_read(t, &f, buf_reserve(&b, 4096), 4096, 100)) > 0)
		buf_commit(&b, (size_t)n);
	loop_fd_deinit(&f);
	return buf_str(&b);
}

static void assert_answer(struct task *t, struct str bytes, struct str start)
{
	struct str got = raw(t, bytes);

	if (!str_starts(got, start))
		print_error("sent %.*s\ngot %.*s\n", STR(bytes), STR(got));
	assert_true(str_starts(got, start));
}

static int good_requests(struct task *t)
{
	struct str got = raw(t, S("GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: "
	                          "x\r\nContent-Length: 2\r\n\r\nhi"));
	assert_true(str_find(got, S("X-Path: /a")) > 0);
	assert_true(str_find(got, S("X-Path: /b")) > 0);
	assert_true(str_ends(got, S("\r\n\r\nhi")));

	got = raw(t, S("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
	               "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"));
	assert_true(str_ends(got, S("\r\n\r\nabcde")));
	got = raw(t, S("HEAD /d HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_true(str_ends(got, S("\r\n\r\n")));
	got = raw(t, S("GET /chunks HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_true(str_ends(got, S("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")));
	got = raw(t, S("GET /chunks HTTP/1.0\r\n\r\n"));
	assert_true(str_ends(got, S("\r\n\r\nonetwo")));
	got = raw(t, S("POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
	               "2\r\n\r\n"));
	assert_true(str_starts(got, S("HTTP/1.1 100 Continue\r\n\r\n")));
	return 0;
}

static int bad_requests(struct task *t)
{
	assert_answer(t, S("BLAH / HTTP/1.1\r\nHost: x\r\n\r\n"), S("HTTP/1.1 501"));
	assert_answer(t, S("\x01\x02 / HTTP/1.1\r\nHost: x\r\n\r\n"), S("HTTP/1.1 400"));
	assert_answer(t, S("GET / HTTP/1.1\r\n\r\n"), S("HTTP/1.1 400"));
	assert_answer(t, S("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"), S("HTTP/1.1 400"));
	assert_answer(t, S("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"),
	        S("HTTP/1.1 400"));
	assert_answer(t, S("GET / HTTP/3.1\r\n\r\n"), S("HTTP/1.1 505"));
	assert_answer(t, S("GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n"), S("HTTP/1.1 400"));
	assert_answer(t,
	        S("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
	          "chunked\r\n\r\n"),
	        S("HTTP/1.1 400"));
	assert_answer(t,
	        S("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
	        S("HTTP/1.1 400"));
	assert_answer(t, S("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
	        S("HTTP/1.1 400"));
	assert_answer(t,
	        S("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
	        S("HTTP/1.1 400"));
	assert_answer(t, S("GET / HTTP/1.1\nHost: x\n\n"), S("HTTP/1.1 400"));
	assert_answer(t, S("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"), S("HTTP/1.1 500"));
	return 0;
}

static int limits(struct task *t)
{
	struct buf b = buf_init(task_arena(t));

	buf_add(&b, S("GET / HTTP/1.1\r\n"));
	for (int i = 0; i < 20; i++)
		buf_printf(&b, "h%d: v\r\n", i);
	buf_add(&b, S("\r\n"));
	assert_answer(t, buf_str(&b), S("HTTP/1.1 431"));
	buf_clear(&b);
	buf_add(&b, S("GET /"));
	for (int i = 0; i < 5000; i++)
		buf_add_char(&b, 'a');
	assert_answer(t, buf_str(&b), S("HTTP/1.1 414"));
	assert_answer(t, S("GET / HTT"), S("HTTP/1.1 408"));
	return 0;
}

static int client_calls(struct task *t)
{
	struct str url = str_printf(task_arena(t), "http://localhost:%d/x?y=1", port);

	for (int i = 0; i < 3; i++) {
		struct http_fetch f = { .method = S("POST"), .url = url, .body = S("hello") };
		TRY(http_fetch(t, &f));
		assert_int_equal(f.status, 200);
		assert_true(str_eq(f.response_body, S("hello")));
		assert_true(str_eq(http_header_get(&f.response_headers, S("x-path")), S("/x")));
	}
	struct http_fetch f = { .method = S("GET"),
		.url = str_printf(task_arena(t), "http://127.0.0.1:%d/chunks", port) };
	TRY(http_fetch(t, &f));
	assert_true(str_eq(f.response_body, S("onetwo")));
	struct http_fetch big = {
		.method = S("POST"), .url = url, .body = S("hello"), .max_body = 3
	};
	assert_int_equal(http_fetch(t, &big), -EMSGSIZE);
	struct http_fetch none = { .method = S("GET"), .url = S("http://127.0.0.1:1/") };
	assert_int_equal(http_fetch(t, &none), -ECONNREFUSED);
	assert_true(http_server_connections(server) <= 3);
	return 0;
}

static int tls_calls(struct task *t)
{
	struct http_fetch f = { .method = S("POST"),
		.url = str_printf(task_arena(t), "https://localhost:%d/x", port),
		.body = S("secret") };

	TRY(http_fetch(t, &f));
	assert_true(str_eq(f.response_body, S("secret")));
	struct http_fetch plain = { .method = S("GET"),
		.url = str_printf(task_arena(t), "http://localhost:%d/x", port) };
	TRY(http_fetch(t, &plain));
	assert_int_equal(plain.status, 200);
	return 0;
}

static void test_good(void **state)
{
	run_with(good_requests, (struct http_server_options){ 0 });
}

static void test_bad(void **state)
{
	run_with(bad_requests, (struct http_server_options){ 0 });
}

static void test_limits(void **state)
{
	run_with(
	        limits, (struct http_server_options){
	                        .max_headers = 10, .max_head_bytes = 4096, .head_timeout_ms = 30 });
}

static void test_client(void **state)
{
	run_with(client_calls, (struct http_server_options){ 0 });
}

static void test_tls(void **state)
{
	char dir[] = "/tmp/wolke-tls-XXXXXX";
	struct tls_server *tls;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(tls_server_new(str_of(dir), &tls), 0);
	assert_non_null(tls_server_ca_path(tls).p);
	setenv("WOLKE_CA", tls_server_ca_path(tls).p, 1);
	run_with(tls_calls, (struct http_server_options){ .tls = tls });
	tls_server_free(tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_tls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
