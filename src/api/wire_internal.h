#pragma once
/*
 * wire_internal: what the protocols' files share. A "value" is where a shape's C value lies: of a
 * structure the struct itself, never its pointer.
 */
#include "api/wire.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "codec/xml.h"

#define WIRE_DEPTH_MAX 64

/* The member's value in struct *s; NULL: absent. */
const void *wire_member_get(const struct shape_member *m, const void *s);
/* Where the member's value goes: a structure is made first. */
void *wire_member_new(struct arena *a, const struct shape_member *m, void *s);

/* A growing list or map: room for one more element, zeroed; *capacity starts at 0. */
void *wire_append(struct arena *a, const struct shape *shape, void *value, size_t *capacity);
/* Elements of a list or entries of a map. An entry's key lies at its start. */
size_t wire_count(const void *value);
void *wire_entry(const struct shape *shape, const void *value, size_t i);
/* Present, even when it is empty. */
void wire_make_present(struct arena *a, void *value);

/* Numbers, booleans, times, blobs (base64) and strings as text: XML, query, headers, URIs. */
int wire_text_read(struct arena *a, const struct shape *shape, uint8_t time, struct str text,
        void *value) MUST_USE;
/* time: what TIME_DEFAULT means there. */
struct str wire_text_of(
        struct arena *a, const struct shape *shape, uint8_t time, const void *value);
/* A double as JSON and XML write it. */
void wire_number(struct buf *b, double v);

enum wire_names { WIRE_NAMES_WIRE, WIRE_NAMES_MODEL };

/* Structures as JSON. decode: *why says what is wrong in AWS's words. */
int wire_json_decode(struct arena *a, const struct shape *shape, yyjson_val *json,
        enum wire_names names, void *value, struct str *why) MUST_USE;
void wire_json_encode(struct json_writer *w, const struct shape *shape, enum wire_names names,
        const void *value, struct arena *a);

int wire_xml_decode(
        struct arena *a, const struct shape *shape, const struct xml_node *n, void *value) MUST_USE;
/* The members inside an element that is already open. */
void wire_xml_encode_members(
        struct buf *b, const struct shape *shape, const void *value, struct arena *a);
void wire_xml_encode(
        struct buf *b, const struct shape_member *m, const void *value, struct arena *a);

int wire_query_decode(struct arena *a, const struct shape *shape, struct str body, bool ec2,
        void *value) MUST_USE;

/* Members in the URI, the query string and headers. */
int wire_rest_decode(struct task *t, const struct wire_request *r, void *in) MUST_USE;
void wire_rest_encode(struct arena *a, const struct shape *shape, const void *out,
        struct wire_response *response);

const struct shape_member *wire_payload_member(const struct shape *shape);
/* The next label of a URI template from *at on; greedy: {Key+}. False when there is none. */
bool wire_template_label(struct str uri, size_t *at, struct str *name, bool *greedy);
