#pragma once
/*
 * packages: a zip in the store becomes a directory below <data>/packages that sandboxes mount.
 * Named by content, so versions and functions with the same code share one; unpacked into a
 * temporary directory and renamed when complete, so that a crash leaves nothing half. What no
 * environment has used for a day is removed.
 */
#include "runtime/runtime_internal.h"

/* Directory names: from the zip's SHA-256 (base64), or from a blob's id for layers. */
struct str package_name(struct arena *a, struct str sha256, struct str blob);

/* The directory of this zip, unpacked if need be. 0, RUNTIME_BAD_PACKAGE or -errno. */
int package_directory(struct task *t, struct runtime *rt, struct str sha256, struct str blob,
        struct str *directory) MUST_USE;
/* Code and layers of a function into spec. */
int package_mounts(struct task *t, struct runtime *rt, const struct runtime_function *f,
        struct sandbox_spec *spec) MUST_USE;
/* "/var/task/bootstrap" or "/opt/bootstrap", whichever is there; absent: none. */
struct str package_bootstrap(struct arena *a, const struct sandbox_spec *spec);
int packages_sweep(struct task *t, struct runtime *rt) MUST_USE;
void packages_free(struct runtime *rt);
