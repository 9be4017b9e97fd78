#pragma once
/* usage: API keys and usage plans as requests meet them. */
#include "services/apigateway/store.h"

struct usage_check {
	struct str account, region, api_id, stage, value;
	/* found out */
	struct str key_id, plan_id;
	bool found, allowed, over_quota;
};

/* Looks the key up, its plan for the stage, and counts the request when the plan has a quota. */
int usage_check(struct task *t, struct usage_check *check) MUST_USE;
