#pragma once
/*
 * xml: a tree out of expat, and a writer. Bounded: depth 100, 1 MiB text per node, no DTD, no
 * entities but the five.
 */
#include "base/buf.h"

#define XML_BAD 1

struct xml_attribute {
	struct str name, value; /* name with its prefix as written */
	struct xml_attribute *next;
};

struct xml_node {
	struct str name;        /* local name, without prefix */
	struct str text;        /* the text directly inside, joined */
	struct xml_attribute *attributes;
	struct xml_node *first, *last, *next; /* child elements in order */
};

int xml_parse(struct arena *a, struct str text, struct xml_node **root) MUST_USE;
struct xml_node *xml_child(const struct xml_node *n, struct str name); /* first with the name */
struct str xml_child_text(const struct xml_node *n, struct str name);  /* absent when missing */
struct str xml_attribute_get(const struct xml_node *n, struct str name);

void xml_open(struct buf *b, struct str name);                   /* <name> */
void xml_open_ns(struct buf *b, struct str name, struct str uri); /* <name xmlns="uri"> */
void xml_close(struct buf *b, struct str name);
void xml_text(struct buf *b, struct str text); /* escaped; what XML 1.0 cannot hold becomes a reference or U+FFFD */
void xml_element(struct buf *b, struct str name, struct str text);
