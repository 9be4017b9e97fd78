#pragma once
/*
 * directory: functions under development, whose code is a directory of the host instead of a
 * package. The record names it (Directory), so it is still so after a restart; UpdateFunctionCode
 * ends it.
 */
#include "services/lambda/function.h"

/* Code and layers from the record's directory, when it has one. At the end of lambda_runnable. */
void lambda_directory_runnable(
        struct arena *a, const struct lambda_function_record *r, struct runtime_function *f);
/* GetFunction's Code of such a function. NULL: it has a package. */
struct lambda_function_code_location *lambda_directory_location(
        struct arena *a, const struct lambda_function_record *r);
