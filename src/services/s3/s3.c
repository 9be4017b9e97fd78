/* s3: the service's table. */
#include "services/s3/s3.h"

#include "services/s3/bucket.h"
#include "services/s3/cors.h"

static const struct api_row rows[] = {
	API_ROW(s3, CREATE_BUCKET, create_bucket, .authorize = s3_on_nothing),
	API_ROW(s3, DELETE_BUCKET, delete_bucket, .authorize = s3_on_bucket),
	API_ROW(s3, DELETE_OBJECT, delete_object, .authorize = s3_on_object),
	API_ROW(s3, GET_BUCKET_LOCATION, get_bucket_location, .authorize = s3_on_bucket),
	API_ROW(s3, GET_OBJECT, get_object, .authorize = s3_on_object),
	API_ROW(s3, HEAD_BUCKET, head_bucket, .action = "s3:ListBucket", .authorize = s3_on_bucket),
	API_ROW(s3, HEAD_OBJECT, head_object, .action = "s3:GetObject", .authorize = s3_on_object),
	API_ROW(s3, LIST_BUCKETS, list_buckets, .action = "s3:ListAllMyBuckets",
	        .authorize = s3_on_nothing),
	API_ROW(s3, LIST_OBJECTS, list_objects, .action = "s3:ListBucket",
	        .authorize = s3_on_bucket),
	API_ROW(s3, LIST_OBJECTS_V2, list_objects_v2, .action = "s3:ListBucket",
	        .authorize = s3_on_bucket),
	API_ROW(s3, PUT_OBJECT, put_object, .authorize = s3_on_object),
};

static const struct api_route routes[] = {
	{ s3_preflight_match, s3_preflight_serve },
};

static void prepare(struct arena *a, struct http_request *r)
{
	struct str bucket = s3_bucket_of_host(r->host);

	if (bucket.p)
		r->path = str_concat(a, 3, S("/"), bucket, r->path);
}

const struct api_service s3_service = {
	.model = &s3_model,
	.iam_prefix = "s3",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.routes = routes,
	.n_routes = ARRAY_LEN(routes),
	.max_body_bytes = 4u << 20,
	.prepare = prepare,
};
