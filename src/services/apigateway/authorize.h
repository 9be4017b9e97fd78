#pragma once
/* authorize: the two files of this step. */
#include "services/apigateway/exchange.h"

int authorize_by_function(struct task *t, struct exchange *e) MUST_USE; /* authorize_function.c */
