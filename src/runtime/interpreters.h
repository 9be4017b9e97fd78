#pragma once
/*
 * interpreters: which runtimes there are, and what on this host runs them.
 *
 * The exact version is taken from the system's directories, $PATH, pyenv, nvm and /opt; else the
 * nearest one where that is allowed. Looked up once per runtime and kept.
 */
#include "base/buf.h"

enum runtime_language { LANGUAGE_PROVIDED, LANGUAGE_PYTHON, LANGUAGE_NODEJS, LANGUAGE_OTHER };

struct runtime_kind {
	struct str name; /* "python3.12" */
	enum runtime_language language;
	int major, minor;   /* of the language; node: minor -1 */
	struct str install; /* what to install, in words */
};

struct interpreter {
	const struct runtime_kind *kind;
	const char *path;   /* NULL: none needed (provided) or none found */
	const char *prefix; /* directory to bind into the sandbox; NULL: lies below /usr */
	struct str exact;   /* "3.12.1" */
	bool nearest;       /* not the version that was asked for */
};

/* NULL: no such runtime. */
const struct runtime_kind *runtime_kind_find(struct str name);
const struct runtime_kind *runtime_kinds(size_t *n);

/* What runs it here; never NULL for a known kind, path NULL when nothing does. Blocking the first
 * time for a kind: looks into directories. Thread-safe. */
const struct interpreter *interpreter_find(const struct runtime_kind *kind);

/* --runtimes=nearest */
void interpreters_allow_nearest(bool allow);
bool interpreters_nearest_allowed(void);
