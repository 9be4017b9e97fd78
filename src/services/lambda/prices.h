#pragma once
/*
 * prices: what AWS asks for Lambda, from its published price list; one table, with its date.
 */
#include "base/str.h"

/* Of us-east-1 (N. Virginia), as published on this day. */
#define PRICES_DATE   "2025-08-01"
#define PRICES_REGION "us-east-1"

#define PRICE_REQUEST           0.0000002    /* $0.20 per million */
#define PRICE_STORAGE_GB_SECOND 0.0000000309 /* ephemeral storage beyond 512 MB */

#define FREE_REQUESTS   1000000.0
#define FREE_GB_SECONDS 400000.0

/* Compute by GB-seconds in a month, in tiers. */
double price_compute(bool arm64, double gb_seconds);
/* One invocation, in the first tier. */
double price_invocation(bool arm64, double billed_ms, double memory_mib);
