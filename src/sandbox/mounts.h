#pragma once
/*
 * mounts: what a sandbox sees of the file system.
 *
 * The part that all share is built once, in a mount namespace of its own (the template) whose root
 * it is: a read-only tmpfs with the host's system directories bound in. A sandbox copies that
 * namespace: a dozen mounts, none of the host's, nothing to unmount. What is its own (code, layers,
 * /tmp) is attached by the helper, which enters the namespace for a moment; the same way serves a
 * sandbox that already runs (ASSIGN).
 */
#include "base/arena.h"
#include "base/buf.h"
#include "sandbox/sandbox.h"

#include <sys/types.h>

struct mounts {
	int template_ns; /* the mount namespace */
	int root_fd;     /* the shared root tmpfs, writable: for more mount points */
	int host_ns, host_net, host_root, host_cwd;
	struct str staging; /* a directory of ours to mount on */
	bool rootless;
};

/* In the helper's own mount namespace; what is missing is described in report. */
int mounts_open(struct mounts *m, struct str state_dir, bool rootless, struct buf *report) MUST_USE;

/* Where the sandbox of pid 1 init_pidfd gets what the spec asks. what: in words, what failed. */
struct mounts_target {
	int init_pidfd;
	uid_t uid;
	gid_t gid;
	bool again; /* ASSIGN: what the sandbox has stays; /tmp only changes its size */
};

int mounts_attach(const struct mounts *m, struct arena *a, const struct mounts_target *t,
        const struct sandbox_spec *s, struct str *what) MUST_USE;
/* Runs fn in the network and mount namespaces of the sandbox. */
int mounts_inside(const struct mounts *m, int init_pidfd, int (*fn)(void *arg), void *arg) MUST_USE;
/* Inside the new pid namespace of a sandbox: becomes the template's copy, with its own /proc. */
int mounts_enter(const struct mounts *m) MUST_USE;
