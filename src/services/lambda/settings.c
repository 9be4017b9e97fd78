/* settings: checks and application. */
#include "services/lambda/settings.h"

#include "api/arn.h"
#include "codec/json.h"
#include "sts_gen.h"

#define ENVIRONMENT_MAX 4096
#define TIMEOUT_MAX     900
#define MEMORY_MAX      10240
#define STORAGE_MAX     10240

static const struct str reserved_names[] = {
	S_INIT("_HANDLER"),
	S_INIT("_X_AMZN_TRACE_ID"),
	S_INIT("AWS_ACCESS_KEY"),
	S_INIT("AWS_ACCESS_KEY_ID"),
	S_INIT("AWS_DEFAULT_REGION"),
	S_INIT("AWS_EXECUTION_ENV"),
	S_INIT("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
	S_INIT("AWS_LAMBDA_FUNCTION_NAME"),
	S_INIT("AWS_LAMBDA_FUNCTION_VERSION"),
	S_INIT("AWS_LAMBDA_INITIALIZATION_TYPE"),
	S_INIT("AWS_LAMBDA_LOG_GROUP_NAME"),
	S_INIT("AWS_LAMBDA_LOG_STREAM_NAME"),
	S_INIT("AWS_LAMBDA_RUNTIME_API"),
	S_INIT("AWS_REGION"),
	S_INIT("AWS_SECRET_ACCESS_KEY"),
	S_INIT("AWS_SECRET_KEY"),
	S_INIT("AWS_SESSION_TOKEN"),
	S_INIT("LAMBDA_RUNTIME_DIR"),
	S_INIT("LAMBDA_TASK_ROOT"),
};

static bool is_reserved(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved_names); i++)
		if (str_eq(name, reserved_names[i]))
			return true;
	return false;
}

static struct str environment_text(struct arena *a, const struct lambda_environment *e)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	for (size_t i = 0; i < e->variables.n; i++)
		json_member_str(&w, e->variables.v[i].key, e->variables.v[i].value);
	json_end(&w);
	return buf_str(&b);
}

static int check_environment(struct task *t, const struct lambda_environment *e)
{
	struct buf reserved = buf_init(task_arena(t));

	if (!e)
		return 0;
	for (size_t i = 0; i < e->variables.n; i++)
		if (is_reserved(e->variables.v[i].key))
			buf_printf(&reserved, "%s%.*s", reserved.n ? ", " : "",
			        STR(e->variables.v[i].key));
	if (reserved.n)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Lambda was unable to configure your environment variables because the "
		        "environment variables you have provided contains reserved keys that are "
		        "currently not supported for modification. Reserved keys used in this "
		        "request: %.*s",
		        STR(buf_str(&reserved)));
	struct str text = environment_text(task_arena(t), e);
	if (text.n > ENVIRONMENT_MAX)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Lambda was unable to configure your environment variables because the "
		        "environment variables you have provided exceeded the 4KB limit. String "
		        "measured: %.*s",
		        STR(text));
	return 0;
}

static int check_runtime(struct task *t, struct str runtime)
{
	struct str nearest, why;

	if (!runtime.p)
		return 0;
	if (runtime_check(task_arena(t), runtime, &nearest, &why) != 0)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "The runtime parameter of %.*s cannot be run here: %.*s", STR(runtime),
		        STR(why));
	return 0;
}

/* Lambda assumes the role when the function starts: it must exist and trust Lambda. */
static int check_role(struct task *t, struct str role)
{
	const struct call *c = call_of(t);
	struct api_access pass = {
		.action = S("iam:PassRole"), .resource = role, .resource_account = c->account
	};

	if (!role.p)
		return 0;
	TRY(api_authorize(t, &pass));
	struct api_caller who = api_caller_service(
	        S("lambda.amazonaws.com"), c->account, c->region, (struct str){ 0 });
	struct sts_assume_role_in in = { .role_arn = role, .role_session_name = S("wolke-check") };
	struct sts_assume_role_out out = { 0 };
	int bad = api_call(t, &who, "sts", "AssumeRole", &in, &out);
	if (bad > 0)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "The role defined for the function cannot be assumed by Lambda.");
	return bad;
}

static int check_unsupported(struct task *t, const struct lambda_settings *s)
{
	if (s->vpc_config && (s->vpc_config->subnet_ids.n || s->vpc_config->security_group_ids.n))
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "VpcConfig: functions are not attached to networks here");
	if (s->file_system_configs.n)
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "FileSystemConfigs: file systems are not mounted here");
	return 0;
}

/* Of the runtimes that are there, Python has it; Java and .NET, which have it too, are not. */
static int check_snap_start(struct task *t, const struct lambda_settings *s)
{
	struct str version = s->runtime;

	if (!s->snap_start || !str_eq(s->snap_start->apply_on, S("PublishedVersions")))
		return 0;
	if (version.n && (!str_starts(version, S("python3.")) ||
	                         !str_to_u64(str_sub(version, 8, version.n), &(uint64_t){ 0 }) ||
	                         version.n < 10 || str_starts(version, S("python3.10")) ||
	                         str_starts(version, S("python3.11"))))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "%.*s is not supported for SnapStart enabled functions.", STR(version));
	if (s->ephemeral_storage && s->ephemeral_storage->size.v > 512)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "SnapStart does not support ephemeral storage sizes greater than 512 MB");
	return 0;
}

static int check_dead_letter(struct task *t, const struct lambda_dead_letter_config *d)
{
	struct arn arn;

	if (!d || d->target_arn.n == 0)
		return 0;
	if (arn_parse(d->target_arn, &arn) &&
	        (str_eq(arn.service, S("sqs")) || str_eq(arn.service, S("sns"))))
		return 0;
	return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
	        "Invalid Dead Letter Queue target: %.*s is neither an SQS queue nor an SNS topic",
	        STR(d->target_arn));
}

int lambda_settings_check(struct task *t, const struct lambda_settings *s)
{
	if (s->timeout.set && s->timeout.v > TIMEOUT_MAX)
		return fail(t, API_ERROR_VALIDATION,
		        "1 validation error detected: Value '%lld' at 'timeout' failed to satisfy "
		        "constraint: Member must have value less than or equal to %d",
		        (long long)s->timeout.v, TIMEOUT_MAX);
	if (s->memory_size.set && s->memory_size.v > MEMORY_MAX)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "'MemorySize' value failed to satisfy constraint: Member must have value "
		        "less than or equal to %d",
		        MEMORY_MAX);
	if (s->ephemeral_storage && s->ephemeral_storage->size.v > STORAGE_MAX)
		return fail(t, API_ERROR_VALIDATION,
		        "1 validation error detected: Value '%lld' at 'ephemeralStorage.size' "
		        "failed to satisfy constraint: Member must have value less than or equal "
		        "to %d",
		        (long long)s->ephemeral_storage->size.v, STORAGE_MAX);
	TRY(check_dead_letter(t, s->dead_letter_config));
	TRY(check_unsupported(t, s));
	TRY(check_snap_start(t, s));
	TRY(check_environment(t, s->environment));
	TRY(check_runtime(t, s->runtime));
	return check_role(t, s->role);
}

static void set_str(struct str *to, struct str from)
{
	if (from.p)
		*to = from;
}

static void apply_logging(
        struct arena *a, const struct lambda_settings *s, struct lambda_function_configuration *c)
{
	if (!c->logging_config) {
		c->logging_config = arena_new(a, struct lambda_logging_config);
		c->logging_config->log_format = S("Text");
		c->logging_config->log_group =
		        str_concat(a, 2, S("/aws/lambda/"), c->function_name);
	}
	if (!s->logging_config)
		return;
	set_str(&c->logging_config->log_format, s->logging_config->log_format);
	set_str(&c->logging_config->log_group, s->logging_config->log_group);
	bool json = str_eq(c->logging_config->log_format, S("JSON"));
	c->logging_config->application_log_level = json ? S("INFO") : (struct str){ 0 };
	c->logging_config->system_log_level = json ? S("INFO") : (struct str){ 0 };
	set_str(&c->logging_config->application_log_level,
	        s->logging_config->application_log_level);
	set_str(&c->logging_config->system_log_level, s->logging_config->system_log_level);
}

static void apply_environment(
        struct arena *a, const struct lambda_settings *s, struct lambda_function_configuration *c)
{
	if (!s->environment)
		return;
	c->environment = NULL;
	if (s->environment->variables.n == 0)
		return;
	c->environment = arena_new(a, struct lambda_environment_response);
	c->environment->variables = s->environment->variables;
}

void lambda_settings_apply(
        struct arena *a, const struct lambda_settings *s, struct lambda_function_configuration *c)
{
	set_str(&c->role, s->role);
	set_str(&c->handler, s->handler);
	set_str(&c->description, s->description);
	set_str(&c->runtime, s->runtime);
	set_str(&c->kms_key_arn, s->kms_key_arn);
	if (s->timeout.set)
		c->timeout = s->timeout;
	if (s->memory_size.set)
		c->memory_size = s->memory_size;
	if (s->tracing_config) {
		c->tracing_config = arena_new(a, struct lambda_tracing_config_response);
		c->tracing_config->mode = s->tracing_config->mode;
	}
	if (s->dead_letter_config) {
		bool none = s->dead_letter_config->target_arn.n == 0;
		c->dead_letter_config = arena_new(a, struct lambda_dead_letter_config);
		*c->dead_letter_config = *s->dead_letter_config;
		if (none)
			c->dead_letter_config = NULL;
	}
	if (s->ephemeral_storage) {
		c->ephemeral_storage = arena_new(a, struct lambda_ephemeral_storage);
		*c->ephemeral_storage = *s->ephemeral_storage;
	}
	if (s->snap_start) {
		c->snap_start = arena_new(a, struct lambda_snap_start_response);
		c->snap_start->apply_on =
		        s->snap_start->apply_on.p ? s->snap_start->apply_on : S("None");
		c->snap_start->optimization_status = S("Off");
	}
	apply_environment(a, s, c);
	apply_logging(a, s, c);
}
