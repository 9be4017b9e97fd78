/* filter: the table of refused system calls, compiled by libseccomp. */
#include "sandbox/filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const refused[] = {
	"_sysctl",
	"acct",
	"add_key",
	"adjtimex",
	"afs_syscall",
	"bpf",
	"chroot",
	"clock_adjtime",
	"clock_adjtime64",
	"clock_settime",
	"clock_settime64",
	"create_module",
	"delete_module",
	"fanotify_init",
	"fanotify_mark",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"get_kernel_syms",
	"get_mempolicy",
	"init_module",
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"listmount",
	"lookup_dcookie",
	"lsm_set_self_attr",
	"mbind",
	"migrate_pages",
	"mount",
	"mount_setattr",
	"move_mount",
	"move_pages",
	"nfsservctl",
	"open_by_handle_at",
	"open_tree",
	"open_tree_attr",
	"perf_event_open",
	"pidfd_getfd",
	"personality",
	"pivot_root",
	"process_madvise",
	"query_module",
	"quotactl",
	"quotactl_fd",
	"reboot",
	"request_key",
	"security",
	"set_mempolicy",
	"set_mempolicy_home_node",
	"setdomainname",
	"sethostname",
	"setns",
	"settimeofday",
	"statmount",
	"stime",
	"swapoff",
	"swapon",
	"sysfs",
	"syslog",
	"tuxcall",
	"umount",
	"umount2",
	"uselib",
	"userfaultfd",
	"ustat",
	"vhangup",
	"vm86",
	"vm86old",
	"vserver",
};

/* What they ask for decides. */
static const unsigned namespaces[] = {
	CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
	CLONE_NEWNET, 0x80 /* CLONE_NEWTIME; an exit signal to clone() */
};

static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static int refuse(scmp_filter_ctx c, const char *name, int error)
{
	int call = seccomp_syscall_resolve_name(name);

	if (call == __NR_SCMP_ERROR) /* of another kernel or CPU */
		return 0;
	int r = seccomp_rule_add(c, SCMP_ACT_ERRNO(error), call, 0);
	return r == -EDOM ? 0 : r;
}

static int refuse_namespaces(scmp_filter_ctx c)
{
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
		uint64_t flag = namespaces[i];
		TRY(seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1,
		        SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)));
		if (flag > 0xff)
			TRY(seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
			        SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)));
	}
	/* Its flags lie in memory, out of sight: libc falls back to clone. */
	return refuse(c, "clone3", ENOSYS);
}

/* vsock, above all, would reach the host past the network namespace. */
static int refuse_families(scmp_filter_ctx c)
{
	for (int family = 0; family <= AF_NETLINK; family++) {
		bool fine = false;
		for (size_t i = 0; i < ARRAY_LEN(families); i++)
			fine = fine || families[i] == family;
		if (!fine)
			TRY(seccomp_rule_add(c, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
			        SCMP_A0(SCMP_CMP_EQ, (uint64_t)family)));
	}
	return seccomp_rule_add(c, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
	        SCMP_A0(SCMP_CMP_GT, AF_NETLINK));
}

static int add_rules(scmp_filter_ctx c)
{
	TRY(seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM)));
	TRY(seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2));
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		TRY(refuse(c, refused[i], EPERM));
	TRY(refuse_namespaces(c));
	TRY(refuse_families(c));
	return seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
	        SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCSTI));
}

static int export(scmp_filter_ctx c, struct filter *f)
{
	int fd CLEANUP(fd_closep) = memfd_create("filter", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	TRY(seccomp_export_bpf(c, fd));
	ssize_t n = pread(fd, f->v, sizeof f->v, 0);
	if (n <= 0 || lseek(fd, 0, SEEK_END) != n)
		return -EFBIG;
	f->n = (unsigned short)((size_t)n / sizeof f->v[0]);
	return 0;
}

int filter_build(struct filter *f)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);

	if (!c)
		return -ENOSYS;
	int error = add_rules(c);
	if (!error)
		error = export(c, f);
	seccomp_release(c);
	return error;
}
