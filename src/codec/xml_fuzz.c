/* A tree that was read can be walked; text that was escaped reads back as it was. */
#include "codec/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct xml_node *n)
{
	size_t bytes = n->name.n + n->text.n;

	for (const struct xml_attribute *at = n->attributes; at; at = at->next)
		bytes += at->name.n + at->value.n;
	for (const struct xml_node *c = n->first; c; c = c->next)
		bytes += walk(c);
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct xml_node *root;

	if (xml_parse(a, (struct str){ (const char *)data, size }, &root) == 0) {
		struct buf b = buf_init(a);
		ensure(walk(root) <= size * 4 + 64);
		xml_element(&b, S("t"), root->text);
		struct str text = root->text;
		ensure(xml_parse(a, buf_str(&b), &root) == 0);
		ensure(str_eq(root->text, text));
	}
	arena_destroy(a);
	return 0;
}
