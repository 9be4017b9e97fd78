/* destination: deliveries, each a job of its own: at least once, with growing pauses. */
#include "services/lambda/destination.h"

#include "api/arn.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "s3_gen.h"
#include "services/lambda/lambda.h"

#define MAX_AGE_MS   (6 * 3600 * 1000)
#define MAX_PAUSE_MS (5 * 60 * 1000)

struct sending {
	const struct lambda_delivery_record *d;
	struct arn target;
	struct api_caller who;
};

/* ---- who sends ---- */

static struct principal role_principal(struct arena *a, struct str role, struct str session)
{
	struct arn arn = { 0 };

	if (!arn_parse(role, &arn))
		return (struct principal){ .type = PRINCIPAL_ANONYMOUS };
	ptrdiff_t slash = str_rfind_char(arn.resource, '/');
	struct str name = str_sub(arn.resource, (size_t)(slash + 1), arn.resource.n);
	return (struct principal){
		.type = PRINCIPAL_ROLE,
		.account = arn.account,
		.role_arn = role,
		.arn = str_printf(a, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", STR(arn.account),
		        STR(name), STR(session)),
		.id = session,
	};
}

/* ---- the ways to send ---- */

static int to_lambda(struct task *t, struct sending *s)
{
	struct lambda_invoke_in in = {
		.function_name = s->d->target, .invocation_type = S("Event"), .payload = s->d->body
	};
	struct lambda_invoke_out out = { 0 };

	return api_call(t, &s->who, "lambda", "Invoke", &in, &out);
}

/* aws/lambda/async/<function>/2026/01/31/2026-01-31T12.00.00-<uuid> */
static struct str object_key(struct arena *a, struct str function)
{
	struct str time = time_iso8601(a, clock_now_ms(), false);
	struct str day = str_sub(time, 0, 10);

	return str_printf(a, "aws/lambda/async/%.*s/%.*s/%.*s/%.*s/%.*sT%.*s.%.*s.%.*s-%.*s",
	        STR(function), 4, day.p, 2, day.p + 5, 2, day.p + 8, STR(day), 2, time.p + 11, 2,
	        time.p + 14, 2, time.p + 17, STR(rand_uuid(a)));
}

static int to_s3(struct task *t, struct sending *s)
{
	struct arena *a = task_arena(t);
	struct s3_put_object_in in = { .bucket = s->target.resource,
		.key = object_key(a, s->d->function_name),
		.content_type = S("application/json"),
		.body = stream_of_str(a, s->d->body) };
	struct s3_put_object_out out = { 0 };

	return api_call(t, &s->who, "s3", "PutObject", &in, &out);
}

static void write_attribute(struct json_writer *w, const char *name, const char *type, struct str v)
{
	json_key(w, str_of(name));
	json_object(w);
	json_member_str(w, S("DataType"), str_of(type));
	json_member_str(w, S("StringValue"), v);
	json_end(w);
}

/* What a dead-letter queue gets beside the event. */
static void write_attributes(struct json_writer *w, const struct lambda_delivery_record *d)
{
	if (!d->dead_letter.v)
		return;
	json_key(w, S("MessageAttributes"));
	json_object(w);
	write_attribute(w, "RequestID", "String", d->request_id);
	write_attribute(w, "ErrorCode", "Number", S("200"));
	if (d->error_message.n)
		write_attribute(w, "ErrorMessage", "String", str_sub(d->error_message, 0, 1024));
	json_end(w);
}

static int to_sqs(struct task *t, struct sending *s)
{
	struct arena *a = task_arena(t);
	const struct api_options *o = api_options_of(t);
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);
	struct str out;

	json_object(&w);
	json_member_str(&w, S("QueueUrl"),
	        str_printf(a, "http://%.*s:%d/%.*s/%.*s", STR(o->host), o->port,
	                STR(s->target.account), STR(s->target.resource)));
	json_member_str(&w, S("MessageBody"), s->d->body);
	write_attributes(&w, s->d);
	json_end(&w);
	return api_call_json(t, &s->who, "sqs", "SendMessage", buf_str(&b), &out);
}

static int to_sns(struct task *t, struct sending *s)
{
	struct buf b = buf_init(task_arena(t));
	struct json_writer w = json_writer(&b);
	struct str out;

	json_object(&w);
	json_member_str(&w, S("TopicArn"), s->d->target);
	json_member_str(&w, S("Message"), s->d->body);
	write_attributes(&w, s->d);
	json_end(&w);
	return api_call_json(t, &s->who, "sns", "Publish", buf_str(&b), &out);
}

static int to_events(struct task *t, struct sending *s)
{
	struct buf b = buf_init(task_arena(t));
	struct json_writer w = json_writer(&b);
	bool good = s->d->success.v;
	struct str out;

	json_object(&w);
	json_key(&w, S("Entries"));
	json_array(&w);
	json_object(&w);
	json_member_str(&w, S("EventBusName"), s->d->target);
	json_member_str(&w, S("Source"), S("lambda"));
	json_member_str(&w, S("DetailType"),
	        good ? S("Lambda Function Invocation Result - Success")
	             : S("Lambda Function Invocation Result - Failure"));
	json_key(&w, S("Resources"));
	json_array(&w);
	json_str(&w, s->d->target);
	json_str(&w, s->d->function_arn);
	json_end(&w);
	json_member_str(&w, S("Detail"), s->d->body);
	json_end(&w);
	json_end(&w);
	json_end(&w);
	return api_call_json(t, &s->who, "events", "PutEvents", buf_str(&b), &out);
}

static const struct way {
	struct str service, action, words; /* words: in the error that a right is missing */
	const char *below;                 /* the resource that the right is for: ARN + this */
	int (*send)(struct task *t, struct sending *s);
} ways[] = {
	{ S_INIT("lambda"), S_INIT("lambda:InvokeFunction"), S_INIT("InvokeFunction on Lambda"), "",
	        to_lambda },
	{ S_INIT("s3"), S_INIT("s3:PutObject"), S_INIT("PutObject on S3"), "/*", to_s3 },
	{ S_INIT("sqs"), S_INIT("sqs:SendMessage"), S_INIT("SendMessage on SQS"), "", to_sqs },
	{ S_INIT("sns"), S_INIT("sns:Publish"), S_INIT("Publish on SNS"), "", to_sns },
	{ S_INIT("events"), S_INIT("events:PutEvents"), S_INIT("PutEvents on EventBridge"), "",
	        to_events },
};

static const struct way *way_of(struct str service)
{
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		if (str_eq(ways[i].service, service))
			return &ways[i];
	return NULL;
}

bool lambda_destination_is_known(struct str service)
{
	return way_of(service) != NULL;
}

int lambda_destination_allowed(struct task *t, struct str role, struct str target)
{
	struct arena *a = task_arena(t);
	struct principal p = role_principal(a, role, S("lambda"));
	struct policy_result result;
	struct arn arn;

	if (api_options_of(t)->iam != API_IAM_ENFORCE || !arn_parse(target, &arn))
		return 0;
	const struct way *way = way_of(arn.service);
	struct api_access access = { .action = way->action,
		.resource = str_concat(a, 2, target, str_of(way->below)),
		.resource_account = arn.account.n ? arn.account : p.account };
	TRY(api_decide(t, &p, &access, &result));
	if (result.decision == POLICY_ALLOWED)
		return 0;
	return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
	        "The provided execution role does not have permissions to call %.*s",
	        STR(way->words));
}

/* ---- the job ---- */

void lambda_destination_add(struct kv_txn *txn, const struct lambda_delivery_record *d)
{
	kv_job_add(txn, S("lambda-delivery"),
	        record_pack(kv_arena(txn), &lambda_shape_delivery_record, d), clock_now_ms());
}

static int send(struct task *t, const struct lambda_delivery_record *d)
{
	struct arena *a = task_arena(t);
	struct sending s = { .d = d };
	/* Whoever is called finds the event's lineage where a request would carry it. */
	struct http_exchange carrier = { 0 };
	struct call background = { .service = &lambda_service,
		.account = d->account,
		.region = d->region,
		.request_id = d->request_id,
		.now_ms = clock_now_ms(),
		.http = &carrier };

	if (d->trace_id.n)
		http_header_add(a, &carrier.request.headers, S("X-Amzn-Trace-Id"), d->trace_id);
	if (!arn_parse(d->target, &s.target) || !way_of(s.target.service))
		return -ENOSYS;
	s.who = (struct api_caller){ .principal = role_principal(a, d->role, d->function_name),
		.account = d->account,
		.region = s.target.region.n ? s.target.region : d->region };
	task_local_set(t, &background);
	int bad = way_of(s.target.service)->send(t, &s);
	if (bad > 0)
		log_warn("lambda: the outcome of event %.*s of %.*s cannot be sent to %.*s: %.*s: "
		         "%.*s",
		        STR(d->request_id), STR(d->function_name), STR(d->target),
		        STR(background.bus_failure.name), STR(background.bus_failure.message));
	if (bad > 0 && background.bus_failure.http_status >= 500)
		bad = -EAGAIN;
	task_local_set(t, NULL);
	return bad;
}

int lambda_destination_deliver(struct task *t, struct kv_job *job)
{
	struct lambda_delivery_record d = { 0 };

	TRY(record_unpack(task_arena(t), &lambda_shape_delivery_record, job->payload, &d));
	int bad = send(t, &d);
	if (bad == -ECANCELED)
		return bad;
	if (bad == -ENOSYS)
		log_warn("lambda: the outcome of event %.*s of %.*s is dropped: its target %.*s is "
		         "served by nobody here",
		        STR(d.request_id), STR(d.function_name), STR(d.target));
	bool again = (bad < 0 && bad != -ENOSYS) || bad == LAMBDA_TOO_MANY_REQUESTS_EXCEPTION;
	if (!again || clock_now_ms() - job->created_ms > MAX_AGE_MS)
		return kv_job_done(t, job, NULL, NULL);
	int64_t pause = MIN((int64_t)1000 << MIN(job->attempts, 16u), (int64_t)MAX_PAUSE_MS);
	return kv_job_retry(t, job, clock_now_ms() + pause, (struct str){ 0 });
}
