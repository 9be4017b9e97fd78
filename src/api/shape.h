#pragma once
/*
 * shape: AWS's models as C data. Everything the wire, the validator and the record store know of
 * a structure they read from these tables; nothing about a service's types is written by hand.
 *
 * tools/generate turns models/<service>.json into build/gen/<service>_gen.h and .c: typed structs,
 * the tables below, error codes and the prototypes of the handlers. How a model's types look in C:
 *
 *	string, enum, blob      struct str            p == NULL: absent
 *	boolean                 struct opt_bool
 *	integer, long           struct opt_int
 *	float, double           struct opt_double
 *	timestamp               struct opt_time       Unix milliseconds
 *	structure, union        struct <svc>_<name> * NULL: absent
 *	list                    struct <svc>_<name>   { T *v; size_t n; }            v == NULL: absent
 *	map                     struct <svc>_<name>   { struct <svc>_<name>_entry { struct str key;
 *	                                              T value; } *v; size_t n; }
 *	document                struct str            the JSON text
 *	streaming blob          struct stream *       loop/stream.h
 *	event stream            nothing: the handler calls api_event_send()
 *
 * Elements T of lists and maps are stored by value: a struct str, an opt_..., a structure (not a
 * pointer), a list. Members carry AWS's name in snake case: FunctionName -> function_name,
 * KMSKeyArn -> kms_key_arn. The in/out structs of an operation are named after it:
 * lambda_create_function_in, lambda_create_function_out.
 */
#include "base/str.h"

struct opt_bool {
	bool set;
	bool v;
};

struct opt_int {
	bool set;
	int64_t v;
};

struct opt_double {
	bool set;
	double v;
};

struct opt_time {
	bool set;
	int64_t ms;
};

static inline struct opt_bool opt_bool(bool v)
{
	return (struct opt_bool){ true, v };
}

static inline struct opt_int opt_int(int64_t v)
{
	return (struct opt_int){ true, v };
}

static inline struct opt_double opt_double(double v)
{
	return (struct opt_double){ true, v };
}

static inline struct opt_time opt_time(int64_t ms)
{
	return (struct opt_time){ true, ms };
}

enum shape_type {
	SHAPE_STRUCTURE,
	SHAPE_LIST,
	SHAPE_MAP,
	SHAPE_STRING,
	SHAPE_BLOB,
	SHAPE_BOOLEAN,
	SHAPE_INTEGER, /* 32 bits on the wire */
	SHAPE_LONG,
	SHAPE_FLOAT,
	SHAPE_DOUBLE,
	SHAPE_TIMESTAMP,
	SHAPE_DOCUMENT,
	SHAPE_STREAM, /* a streaming blob: struct stream * */
	SHAPE_EVENTS, /* an event stream */
};

enum shape_location {
	IN_BODY,
	IN_URI,
	IN_QUERY,   /* a map member here takes every query parameter that no other member names */
	IN_HEADER,
	IN_HEADERS, /* a map: all headers with the wire name as prefix */
	IN_STATUS,
};

/* TIME_ISO8601_MS: with milliseconds even when they are 000, as S3 writes its documents. */
enum shape_time { TIME_DEFAULT, TIME_EPOCH_SECONDS, TIME_ISO8601, TIME_ISO8601_MS, TIME_RFC822 };

struct shape;

struct shape_member {
	struct str name;         /* the model's, for messages: "FunctionName" */
	struct str wire;         /* on the wire: locationName, else name */
	struct str query;        /* query and ec2 protocols, where it differs: else == wire */
	const struct shape *shape;
	uint32_t offset;         /* in the C struct; 0xffffffff: not stored (event stream) */
	uint8_t location;        /* enum shape_location */
	uint8_t time;            /* enum shape_time, of this member */
	bool required;
	bool payload;            /* the body is this member alone */
	bool flattened;          /* XML and query: list or map elements stand without a wrapper */
	bool xml_attribute;
	bool idempotency_token;
	bool host_label;
	bool json_value;         /* a header whose text is base64 of JSON */
	bool event_payload;      /* in an event of an event stream */
	bool event_header;
	struct str xml_prefix;   /* of an attribute: "xsi" */
	struct str xml_uri;      /* namespace */
};

struct shape {
	struct str name;
	uint8_t type;                       /* enum shape_type */
	uint8_t time;                       /* enum shape_time */
	bool is_union;
	bool is_exception;
	bool sensitive;
	bool flattened;
	bool boxed;
	uint32_t size;                      /* of the C value; of a structure itself, not its pointer */
	const struct shape_member *members; /* structure */
	uint32_t n_members;
	const struct shape *element;        /* list, map: the value */
	const struct shape *key;            /* map */
	struct str element_wire;            /* list: "member" unless the model says else; map value: "value" */
	struct str key_wire;                /* map: "key" unless said else */
	uint32_t entry_size;                /* list: of one element; map: of one entry, key first */
	uint32_t value_offset;              /* map: of the value in an entry */
	bool has_min, has_max;
	int64_t min, max;                   /* length of strings, blobs, lists, maps; value of numbers */
	struct str pattern;                 /* of a string, ECMA as in the model; n == 0: none */
	const struct str *values;           /* of an enum */
	uint32_t n_values;
	struct str xml_root;                /* locationName of a structure used as body */
	struct str xml_uri;
};

/* The stored value of a member of struct *s. */
static inline void *shape_member_at(const struct shape_member *m, const void *s)
{
	return (char *)(uintptr_t)s + m->offset;
}

enum shape_protocol { WIRE_JSON_1_0, WIRE_JSON_1_1, WIRE_QUERY, WIRE_EC2, WIRE_REST_JSON, WIRE_REST_XML };

struct shape_error {
	struct str name;            /* the shape: "ResourceNotFoundException" */
	struct str code;            /* on the wire, where the model names another */
	uint16_t status;            /* HTTP */
	bool sender;                /* fault: true client, false server */
	const struct shape *shape;
};

struct shape_operation {
	struct str name;            /* "CreateFunction" */
	struct str method;          /* "POST" */
	struct str uri;             /* "/2015-03-31/functions/{FunctionName}?qualifier=x" as modelled */
	uint16_t literal;           /* bytes of uri that every path starts with */
	uint16_t status;            /* of success; 0: 200 */
	const struct shape *in;     /* NULL: none */
	const struct shape *out;
	struct str result_wrapper;  /* query: "CreateRoleResult" */
	struct str xml_root;        /* rest-xml: root element of the input when the model names one */
	struct str xml_uri;
	bool checksum_required;
	bool streaming_in, streaming_out, event_stream_out;
	bool unsigned_payload;
	bool anonymous;             /* authtype none: AssumeRoleWithWebIdentity */
	/* paging, as modelled; n == 0 where the operation has none */
	struct str page_in, page_out, page_limit, page_result;
};

/* One AWS service as modelled. */
struct shape_service {
	struct str id;              /* folder and C prefix: "lambda" */
	struct str service_id;      /* "Lambda" */
	struct str full_name;
	struct str endpoint_prefix; /* "lambda" */
	struct str signing_name;    /* "lambda" */
	struct str target_prefix;   /* X-Amz-Target before the dot */
	struct str api_version;     /* "2015-03-31" */
	struct str xml_uri;
	uint8_t protocol;           /* enum shape_protocol */
	const struct shape_operation *operations;
	uint32_t n_operations;
	const struct shape_error *errors; /* index: code of fail() minus API_ERROR_FIRST (api/api.h) */
	uint32_t n_errors;
};
