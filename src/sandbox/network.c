/* network: the relay's start, seen from the helper. */
#include "sandbox/network.h"
#include "base/arena.h"
#include "sandbox/confine.h"
#include "sandbox/relay.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RELAY_UID 1899999999u /* below the sandboxes' */

/* A route to everywhere that is not by the loopback interface, as the kernel lists it. */
static bool has_ipv6(void)
{
	FILE *f = fopen("/proc/net/ipv6_route", "re");
	char line[256], to[33], device[33];
	unsigned bits;
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f))
		found = sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %*x %32s", to, &bits,
		                device) == 3 &&
		        bits == 0 && strspn(to, "0") == 32 && strcmp(device, "lo") != 0;
	if (f)
		fclose(f);
	return found;
}

static int give_up_rights(const struct filter *f)
{
	if (geteuid() == 0 &&
	        (setgroups(0, NULL) < 0 || setresgid(RELAY_UID, RELAY_UID, RELAY_UID) < 0 ||
	                setresuid(RELAY_UID, RELAY_UID, RELAY_UID) < 0))
		return -errno;
	TRY(confine_capabilities());
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return confine_filter(f);
}

_Noreturn static void become_relay(
        int arrivals, const struct network_options *o, const struct filter *f, pid_t helper)
{
	struct pollfd first = { arrivals, POLLIN, 0 };

	prctl(PR_SET_NAME, "wolke-network");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The start of wolke is not the time for all that follows. */
	while (poll(&first, 1, -1) < 0 && errno == EINTR)
		;
	if (give_up_rights(f) < 0 || getppid() != helper)
		_exit(1);
	relay_run(arrivals, o);
}

int network_start(struct network *n, const struct network_options *o, const struct filter *f)
{
	int pair[2];

	*n = (struct network){ .options = *o, .to_relay = -1 };
	if (!o->possible)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid_t helper = getpid();
	n->pid = fork();
	if (n->pid == 0) {
		/* Of the helper's descriptors it has nothing: above all not main's socket. */
		dup2(pair[0], 3);
		close_range(4, ~0u, 0);
		become_relay(3, &n->options, f, helper);
	}
	close(pair[0]);
	if (n->pid < 0) {
		close(pair[1]);
		return -errno;
	}
	n->to_relay = pair[1];
	n->ipv6 = has_ipv6();
	return 0;
}
