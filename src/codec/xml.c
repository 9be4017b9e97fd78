/* xml: expat's events as a bounded tree, and the writer. */
#include "codec/xml.h"

#include <expat.h>

#define MAX_DEPTH 100
#define MAX_TEXT  (1u << 20)

struct builder {
	struct arena *arena;
	XML_Parser parser;
	struct xml_node *root;
	struct xml_node *open[MAX_DEPTH];
	struct buf text[MAX_DEPTH];
	int depth;
	bool bad;
};

static struct str local_name(struct str name)
{
	ptrdiff_t colon = str_rfind_char(name, ':');

	return colon < 0 ? name : str_sub(name, (size_t)colon + 1, name.n);
}

static void stop(struct builder *b)
{
	b->bad = true;
	XML_StopParser(b->parser, XML_FALSE);
}

static void on_start(void *user, const char *name, const char **attributes)
{
	struct builder *b = user;

	if (b->depth == MAX_DEPTH) {
		stop(b);
		return;
	}
	struct xml_node *n = arena_new(b->arena, struct xml_node);
	n->name = local_name(str_dup(b->arena, str_of(name)));
	for (struct xml_attribute **at = &n->attributes; *attributes; attributes += 2) {
		*at = arena_new(b->arena, struct xml_attribute);
		(*at)->name = str_dup(b->arena, str_of(attributes[0]));
		(*at)->value = str_dup(b->arena, str_of(attributes[1]));
		at = &(*at)->next;
	}
	if (b->depth == 0) {
		b->root = n;
	} else {
		struct xml_node *parent = b->open[b->depth - 1];
		if (parent->last)
			parent->last->next = n;
		else
			parent->first = n;
		parent->last = n;
	}
	b->text[b->depth] = buf_init(b->arena);
	b->open[b->depth++] = n;
}

static void on_end(void *user, const char *name)
{
	struct builder *b = user;

	b->depth--;
	b->open[b->depth]->text = buf_str(&b->text[b->depth]);
}

static void on_text(void *user, const char *text, int n)
{
	struct builder *b = user;

	if (b->depth == 0)
		return;
	struct buf *at = &b->text[b->depth - 1];
	if (at->n + (size_t)n > MAX_TEXT)
		stop(b);
	else
		buf_add(at, (struct str){ text, (size_t)n });
}

static void on_doctype(
        void *user, const char *name, const char *system, const char *public, int internal)
{
	stop(user);
}

int xml_parse(struct arena *a, struct str text, struct xml_node **root)
{
	struct builder *b = arena_new(a, struct builder);

	if (text.n > INT32_MAX)
		return XML_BAD;
	b->arena = a;
	b->parser = XML_ParserCreate(NULL);
	ensure(b->parser != NULL);
	XML_SetUserData(b->parser, b);
	XML_SetElementHandler(b->parser, on_start, on_end);
	XML_SetCharacterDataHandler(b->parser, on_text);
	XML_SetStartDoctypeDeclHandler(b->parser, on_doctype);
	bool good = XML_Parse(b->parser, text.p, (int)text.n, 1) == XML_STATUS_OK && !b->bad;
	XML_ParserFree(b->parser);
	*root = b->root;
	return good && b->root ? 0 : XML_BAD;
}

struct xml_node *xml_child(const struct xml_node *n, struct str name)
{
	for (struct xml_node *c = n->first; c; c = c->next)
		if (str_eq(c->name, name))
			return c;
	return NULL;
}

struct str xml_child_text(const struct xml_node *n, struct str name)
{
	const struct xml_node *c = xml_child(n, name);

	return c ? c->text : (struct str){ 0 };
}

struct str xml_attribute_get(const struct xml_node *n, struct str name)
{
	for (const struct xml_attribute *at = n->attributes; at; at = at->next)
		if (str_eq(at->name, name))
			return at->value;
	return (struct str){ 0 };
}

void xml_open(struct buf *b, struct str name)
{
	buf_add_char(b, '<');
	buf_add(b, name);
	buf_add_char(b, '>');
}

void xml_open_ns(struct buf *b, struct str name, struct str uri)
{
	buf_printf(b, "<%.*s xmlns=\"%.*s\">", STR(name), STR(uri));
}

void xml_close(struct buf *b, struct str name)
{
	buf_add(b, S("</"));
	buf_add(b, name);
	buf_add_char(b, '>');
}

void xml_text(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c == '<')
			buf_add(b, S("&lt;"));
		else if (c == '>')
			buf_add(b, S("&gt;"));
		else if (c == '&')
			buf_add(b, S("&amp;"));
		else if (c == '"')
			buf_add(b, S("&quot;"));
		else if (c == '\r')
			buf_add(b, S("&#13;"));
		else if (c < 0x20 && c != '\n' && c != '\t')
			buf_add(b, S("\xef\xbf\xbd"));
		else
			buf_add_char(b, (char)c);
	}
}

void xml_element(struct buf *b, struct str name, struct str text)
{
	xml_open(b, name);
	xml_text(b, text);
	xml_close(b, name);
}
