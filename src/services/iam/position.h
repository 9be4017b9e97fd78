#pragma once
/*
 * position: where a statement stands in its document, as Simulate* tells it: lines from 1, columns
 * behind the opening brace and behind the closing one.
 */
#include "base/str.h"

struct iam_span {
	int64_t start_line, start_column, end_line, end_column;
};

/* False when the document has no such statement. The document is valid JSON. */
bool iam_statement_span(struct str json, size_t statement, struct iam_span *span) MUST_USE;
