/* seal: salt (16 bytes), ciphertext, tag (16 bytes). The key is used once, so the nonce is zero. */
#include "codec/seal.h"

#include "base/rand.h"

#include <openssl/evp.h>

#define SALT_BYTES 16
#define TAG_BYTES  16

static const unsigned char nonce[12];

static void derive(struct arena *a, const struct seal *s, struct str salt, unsigned char key[32])
{
	hash_hmac_sha256(s->secret, str_concat(a, 3, s->label, (struct str){ "\0", 1 }, salt), key);
}

static const unsigned char *bytes_of(struct str s)
{
	return (const unsigned char *)s.p;
}

struct str seal_make(struct arena *a, const struct seal *s, struct str plain)
{
	unsigned char *out = (unsigned char *)arena_bytes(a, SALT_BYTES + plain.n + TAG_BYTES);
	unsigned char key[32];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0, ignored;

	rand_bytes(out, SALT_BYTES);
	derive(a, s, (struct str){ (char *)out, SALT_BYTES }, key);
	ensure(plain.n <= INT32_MAX && s->bound.n <= INT32_MAX);
	ensure(c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1);
	ensure(s->bound.n == 0 ||
	        EVP_EncryptUpdate(c, NULL, &ignored, bytes_of(s->bound), (int)s->bound.n) == 1);
	ensure(plain.n == 0 ||
	        EVP_EncryptUpdate(c, out + SALT_BYTES, &n, bytes_of(plain), (int)plain.n) == 1);
	ensure((size_t)n == plain.n && EVP_EncryptFinal_ex(c, out + SALT_BYTES + n, &ignored) == 1);
	ensure(EVP_CIPHER_CTX_ctrl(
	               c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, out + SALT_BYTES + plain.n) == 1);
	EVP_CIPHER_CTX_free(c);
	return (struct str){ (char *)out, SALT_BYTES + plain.n + TAG_BYTES };
}

static bool decrypt(EVP_CIPHER_CTX *c, const struct seal *s, struct str body, unsigned char *out)
{
	int n = 0, ignored;

	if (s->bound.n &&
	        EVP_DecryptUpdate(c, NULL, &ignored, bytes_of(s->bound), (int)s->bound.n) != 1)
		return false;
	if (body.n && EVP_DecryptUpdate(c, out, &n, bytes_of(body), (int)body.n) != 1)
		return false;
	return EVP_DecryptFinal_ex(c, out + n, &ignored) == 1;
}

int seal_open(struct arena *a, const struct seal *s, struct str sealed, struct str *plain)
{
	unsigned char key[32], tag[TAG_BYTES];

	if (sealed.n < SALT_BYTES + TAG_BYTES || sealed.n > INT32_MAX || s->bound.n > INT32_MAX)
		return CODEC_BAD;
	struct str body = str_sub(sealed, SALT_BYTES, sealed.n - SALT_BYTES - TAG_BYTES);
	unsigned char *out = (unsigned char *)arena_bytes(a, body.n + 1);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	memcpy(tag, sealed.p + sealed.n - TAG_BYTES, TAG_BYTES);
	derive(a, s, str_sub(sealed, 0, SALT_BYTES), key);
	ensure(c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1);
	ensure(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1);
	bool good = decrypt(c, s, body, out);
	EVP_CIPHER_CTX_free(c);
	if (!good)
		return CODEC_BAD;
	*plain = (struct str){ (char *)out, body.n };
	return 0;
}
