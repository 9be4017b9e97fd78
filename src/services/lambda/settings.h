#pragma once
/*
 * settings: the part of a function's configuration that people choose, checked and applied alike
 * when it is created and when it is updated.
 */
#include "services/lambda/function.h"

struct lambda_settings {
	struct str role, handler, description, runtime, kms_key_arn;
	struct opt_int timeout, memory_size;
	const struct lambda_vpc_config *vpc_config;
	const struct lambda_environment *environment;
	const struct lambda_dead_letter_config *dead_letter_config;
	const struct lambda_tracing_config *tracing_config;
	const struct lambda_ephemeral_storage *ephemeral_storage;
	const struct lambda_logging_config *logging_config;
	const struct lambda_snap_start *snap_start;
	struct lambda_layer_list layers;
	struct lambda_file_system_config_list file_system_configs;
};

/* Limits, reserved names, the role's trust and the right to pass it. fail()s with Lambda's words.
 */
int lambda_settings_check(struct task *t, const struct lambda_settings *s) MUST_USE;
/* Layers into the record: at most five, each of its own, readable by the caller, and together with
 * the code within 250 MB. Absent (v == NULL): left as they are, but for the size. */
int lambda_layers_apply(
        struct task *t, struct lambda_layer_list layers, struct lambda_function_record *r) MUST_USE;
/* Sets what is present. */
void lambda_settings_apply(
        struct arena *a, const struct lambda_settings *s, struct lambda_function_configuration *c);
