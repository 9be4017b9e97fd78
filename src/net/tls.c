/*
 * tls: the local authority, the certificates it issues, and the client's side.
 *
 * Nothing is generated before the first TLS connection (or `wolke cert`): starting costs nothing.
 */
#include "net/tls.h"

#include "base/map.h"
#include "base/rand.h"
#include "loop/pool.h"
#include "net/tls_internal.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_NAMES 1000
#define YEAR_S    (365L * 24 * 3600)

struct tls_server {
	struct arena *arena;
	struct str ca_path, key_path;
	pthread_mutex_t
	        lock; /* over what follows: handshakes run on the loops, making on the pool */
	EVP_PKEY *ca_key, *leaf_key;
	X509 *ca;
	SSL_CTX *ctx;
	struct map certificates; /* by name: X509 */
};

static int add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	int good = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return good ? 0 : -EPROTO;
}

static X509 *new_certificate(const char *common_name, EVP_PKEY *key, long seconds)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	ensure(x != NULL);
	X509_set_version(x, 2);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), rand_u64() >> 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), seconds);
	X509_NAME_add_entry_by_txt(
	        name, "O", MBSTRING_ASC, (const unsigned char *)"wolke", -1, -1, 0);
	X509_NAME_add_entry_by_txt(
	        name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0);
	X509_set_pubkey(x, key);
	return x;
}

static int make_authority(struct tls_server *s)
{
	s->ca_key = EVP_EC_gen("P-256");
	if (!s->ca_key)
		return -EPROTO;
	s->ca = new_certificate("wolke local authority", s->ca_key, 10 * YEAR_S);
	X509_set_issuer_name(s->ca, X509_get_subject_name(s->ca));
	TRY(add_extension(s->ca, s->ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
	TRY(add_extension(s->ca, s->ca, NID_key_usage, "critical,keyCertSign,cRLSign"));
	TRY(add_extension(s->ca, s->ca, NID_subject_key_identifier, "hash"));
	return X509_sign(s->ca, s->ca_key, EVP_sha256()) ? 0 : -EPROTO;
}

static FILE *create(struct str path, int mode)
{
	int fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	return fd < 0 ? NULL : fdopen(fd, "w");
}

static int store_authority(struct tls_server *s)
{
	FILE *key = create(s->key_path, 0600), *cert = create(s->ca_path, 0644);
	bool good = key && cert &&
	            PEM_write_PrivateKey(key, s->ca_key, NULL, NULL, 0, NULL, NULL) &&
	            PEM_write_X509(cert, s->ca);

	if (key)
		good = fclose(key) == 0 && good;
	if (cert)
		good = fclose(cert) == 0 && good;
	return good ? 0 : -EIO;
}

static void load_authority(struct tls_server *s)
{
	FILE *key = fopen(s->key_path.p, "re"), *cert = fopen(s->ca_path.p, "re");

	if (key && cert) {
		s->ca_key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
		s->ca = PEM_read_X509(cert, NULL, NULL, NULL);
	}
	if (key)
		fclose(key);
	if (cert)
		fclose(cert);
}

/* Loads the authority, or makes and stores it. Under the lock. */
static int ensure_authority(struct tls_server *s)
{
	if (s->ca)
		return 0;
	load_authority(s);
	if (s->ca && s->ca_key)
		return 0;
	TRY(make_authority(s));
	return store_authority(s);
}

static bool is_address(const char *name)
{
	return strspn(name, "0123456789.") == strlen(name) || strchr(name, ':');
}

static X509 *issue(struct tls_server *s, const char *name)
{
	char names[400];
	X509 *x = new_certificate(name, s->leaf_key, YEAR_S);

	snprintf(names, sizeof names, "%s:%.255s,DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1",
	        is_address(name) ? "IP" : "DNS", name);
	X509_set_issuer_name(x, X509_get_subject_name(s->ca));
	bool good = add_extension(x, s->ca, NID_subject_alt_name, names) == 0 &&
	            add_extension(x, s->ca, NID_ext_key_usage, "serverAuth") == 0 &&
	            add_extension(x, s->ca, NID_key_usage, "critical,digitalSignature") == 0 &&
	            X509_sign(x, s->ca_key, EVP_sha256());
	if (good)
		return x;
	X509_free(x);
	return NULL;
}

static X509 *certificate_for(struct tls_server *s, struct str name)
{
	X509 *x = map_get(&s->certificates, name);

	if (x || s->certificates.n >= MAX_NAMES)
		return x ? x : map_get(&s->certificates, S("localhost"));
	x = issue(s, name.p);
	if (x)
		map_put(&s->certificates, name, x);
	return x;
}

static bool is_host_name(const char *name)
{
	return name && *name && strlen(name) < 254 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") ==
	               strlen(name);
}

/* Called in the handshake: the certificate for the name that the client asks for. */
static int choose_certificate(SSL *ssl, void *arg)
{
	struct tls_server *s = arg;
	const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	pthread_mutex_lock(&s->lock);
	X509 *x = certificate_for(s, is_host_name(asked) ? str_of(asked) : S("localhost"));
	int good =
	        x && SSL_use_certificate(ssl, x) == 1 && SSL_use_PrivateKey(ssl, s->leaf_key) == 1;
	pthread_mutex_unlock(&s->lock);
	return good;
}

static int make_context(struct tls_server *s)
{
	s->leaf_key = EVP_EC_gen("P-256");
	s->ctx = SSL_CTX_new(TLS_server_method());
	if (!s->leaf_key || !s->ctx)
		return -EPROTO;
	SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION);
	SSL_CTX_set_cert_cb(s->ctx, choose_certificate, s);
	SSL_CTX_set_mode(s->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return 0;
}

static int prepare(void *arg)
{
	struct tls_server *s = arg;

	pthread_mutex_lock(&s->lock);
	int bad = ensure_authority(s);
	if (!bad && !s->ctx)
		bad = make_context(s);
	pthread_mutex_unlock(&s->lock);
	return bad;
}

int tls_server_new(struct str directory, struct tls_server **tls)
{
	struct tls_server *s = mem_new(struct tls_server);

	s->arena = arena_create();
	s->ca_path = str_printf(s->arena, "%.*s/ca.pem", STR(directory));
	s->key_path = str_printf(s->arena, "%.*s/ca.key", STR(directory));
	pthread_mutex_init(&s->lock, NULL);
	*tls = s;
	return 0;
}

void tls_server_free(struct tls_server *s)
{
	struct map_slot *slot;
	size_t at = 0;

	if (!s)
		return;
	while ((slot = map_next(&s->certificates, &at)))
		X509_free(slot->value);
	map_deinit(&s->certificates);
	SSL_CTX_free(s->ctx);
	EVP_PKEY_free(s->leaf_key);
	EVP_PKEY_free(s->ca_key);
	X509_free(s->ca);
	pthread_mutex_destroy(&s->lock);
	arena_destroy(s->arena);
	mem_free(s);
}

struct str tls_server_ca_path(const struct tls_server *tls)
{
	struct tls_server *s = (struct tls_server *)(uintptr_t)tls;

	pthread_mutex_lock(&s->lock);
	int bad = ensure_authority(s);
	pthread_mutex_unlock(&s->lock);
	return bad ? (struct str){ 0 } : s->ca_path;
}

int tls_server_accept(struct task *t, struct tls_server *tls, struct transport *c)
{
	if (!tls->ctx)
		TRY(pool_run(t, prepare, tls));
	c->ssl = SSL_new(tls->ctx);
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd.fd) != 1)
		return -EPROTO;
	SSL_set_accept_state(c->ssl);
	return 0;
}

/* ---- the client's side ---- */

static SSL_CTX *client_ctx;
static pthread_once_t client_once = PTHREAD_ONCE_INIT;

static void client_init(void)
{
	const char *own = getenv("WOLKE_CA");

	client_ctx = SSL_CTX_new(TLS_client_method());
	ensure(client_ctx != NULL);
	SSL_CTX_set_min_proto_version(client_ctx, TLS1_2_VERSION);
	SSL_CTX_set_default_verify_paths(client_ctx);
	if (own)
		SSL_CTX_load_verify_locations(client_ctx, own, NULL);
	SSL_CTX_set_mode(
	        client_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	ERR_clear_error();
}

int tls_client_connect(
        struct task *t, struct transport *c, struct str host, bool insecure, uint64_t limit_ms)
{
	const char *name = str_cstr(task_arena(t), host);

	pthread_once(&client_once, client_init);
	c->ssl = SSL_new(client_ctx);
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd.fd) != 1)
		return -EPROTO;
	SSL_set_connect_state(c->ssl);
	if (is_address(name))
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), name);
	else if (SSL_set_tlsext_host_name(c->ssl, name) != 1 || SSL_set1_host(c->ssl, name) != 1)
		return -EPROTO;
	SSL_set_verify(c->ssl, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	return transport_handshake(t, c, limit_ms);
}
