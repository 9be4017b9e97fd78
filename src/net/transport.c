/* transport: plain sockets and OpenSSL over them. */
#include "net/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* Waits for what OpenSSL wants; 0: try again. */
static int wait_ssl(struct task *t, struct transport *c, int result, uint64_t limit_ms)
{
	int error = SSL_get_error(c->ssl, result);

	ERR_clear_error();
	if (error == SSL_ERROR_WANT_READ) {
		c->fd.readable = false;
		return loop_fd_wait_readable(t, &c->fd, limit_ms);
	}
	if (error == SSL_ERROR_WANT_WRITE) {
		c->fd.writable = false;
		return loop_fd_wait_writable(t, &c->fd, limit_ms);
	}
	return error == SSL_ERROR_ZERO_RETURN ? -ECONNRESET : -EPROTO;
}

ssize_t transport_read(struct task *t, struct transport *c, void *p, size_t n, uint64_t limit_ms)
{
	if (!c->ssl)
		return loop_fd_read(t, &c->fd, p, n, limit_ms);
	for (;;) {
		size_t got = 0;
		int result = SSL_read_ex(c->ssl, p, n, &got);
		if (result == 1)
			return (ssize_t)got;
		int bad = wait_ssl(t, c, result, limit_ms);
		if (bad)
			return bad == -ECONNRESET ? 0 : bad;
	}
}

static int write_ssl(struct task *t, struct transport *c, struct str bytes, uint64_t limit_ms)
{
	while (bytes.n > 0) {
		size_t put = 0;
		int result = SSL_write_ex(c->ssl, bytes.p, bytes.n, &put);
		if (result == 1)
			bytes = str_sub(bytes, put, bytes.n);
		else
			TRY(wait_ssl(t, c, result, limit_ms));
	}
	return 0;
}

int transport_write(struct task *t, struct transport *c, struct str bytes, uint64_t limit_ms)
{
	return c->ssl ? write_ssl(t, c, bytes, limit_ms)
	              : loop_fd_write_all(t, &c->fd, bytes, limit_ms);
}

int transport_write2(
        struct task *t, struct transport *c, struct str head, struct str body, uint64_t limit_ms)
{
	struct iovec v[2] = { { (void *)(uintptr_t)head.p, head.n },
		{ (void *)(uintptr_t)body.p, body.n } };

	if (!c->ssl && body.n > 0 && c->fd.fd >= 0) {
		ssize_t put = writev(c->fd.fd, v, 2);
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		size_t done = put > 0 ? (size_t)put : 0;
		size_t of_head = MIN(done, head.n);
		head = str_sub(head, of_head, head.n);
		body = str_sub(body, done - of_head, body.n);
	}
	TRY(transport_write(t, c, head, limit_ms));
	return transport_write(t, c, body, limit_ms);
}

int transport_handshake(struct task *t, struct transport *c, uint64_t limit_ms)
{
	for (;;) {
		int result = SSL_do_handshake(c->ssl);
		if (result == 1)
			return 0;
		TRY(wait_ssl(t, c, result, limit_ms));
	}
}

void transport_close(struct transport *c)
{
	if (c->ssl) {
		SSL_shutdown(c->ssl);
		ERR_clear_error();
		SSL_free(c->ssl);
		c->ssl = NULL;
	}
	loop_fd_deinit(&c->fd);
}
