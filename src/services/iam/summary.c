/* GetAccountSummary */
#include "services/iam/entity.h"

static const struct entry {
	struct str name;
	struct str counted; /* absent: the number is fixed */
	int64_t number;
} entries[] = {
	{ S_INIT("AccessKeysPerUserQuota"), { 0 }, 2 },
	{ S_INIT("AccountAccessKeysPresent"), { 0 }, 0 },
	{ S_INIT("AccountMFAEnabled"), { 0 }, 0 },
	{ S_INIT("AccountSigningCertificatesPresent"), { 0 }, 0 },
	{ S_INIT("AssumeRolePolicySizeQuota"), { 0 }, 2048 },
	{ S_INIT("AttachedPoliciesPerGroupQuota"), { 0 }, 10 },
	{ S_INIT("AttachedPoliciesPerRoleQuota"), { 0 }, 10 },
	{ S_INIT("AttachedPoliciesPerUserQuota"), { 0 }, 10 },
	{ S_INIT("GlobalEndpointTokenVersion"), { 0 }, 2 },
	{ S_INIT("GroupPolicySizeQuota"), { 0 }, 5120 },
	{ S_INIT("Groups"), S_INIT("Groups"), 0 },
	{ S_INIT("GroupsPerUserQuota"), { 0 }, 10 },
	{ S_INIT("GroupsQuota"), { 0 }, 300 },
	{ S_INIT("InstanceProfiles"), S_INIT("InstanceProfiles"), 0 },
	{ S_INIT("InstanceProfilesQuota"), { 0 }, 1000 },
	{ S_INIT("MFADevices"), { 0 }, 0 },
	{ S_INIT("MFADevicesInUse"), { 0 }, 0 },
	{ S_INIT("Policies"), S_INIT("Policies"), 0 },
	{ S_INIT("PoliciesQuota"), { 0 }, 1500 },
	{ S_INIT("PolicySizeQuota"), { 0 }, 6144 },
	{ S_INIT("PolicyVersionsInUseQuota"), { 0 }, 10000 },
	{ S_INIT("Providers"), S_INIT("Providers"), 0 },
	{ S_INIT("RolePolicySizeQuota"), { 0 }, 10240 },
	{ S_INIT("Roles"), S_INIT("Roles"), 0 },
	{ S_INIT("RolesQuota"), { 0 }, 1000 },
	{ S_INIT("ServerCertificates"), { 0 }, 0 },
	{ S_INIT("ServerCertificatesQuota"), { 0 }, 20 },
	{ S_INIT("SigningCertificatesPerUserQuota"), { 0 }, 2 },
	{ S_INIT("UserPolicySizeQuota"), { 0 }, 2048 },
	{ S_INIT("Users"), S_INIT("Users"), 0 },
	{ S_INIT("UsersQuota"), { 0 }, 5000 },
	{ S_INIT("VersionsPerPolicyQuota"), { 0 }, 5 },
};

static int get_account_summary(struct iam_work *w, const void *in, void *out)
{
	struct iam_get_account_summary_out *answer = out;
	struct iam_summary_map_type *map = &answer->summary_map;

	map->v = arena_new_n(w->arena, struct iam_summary_map_type_entry, ARRAY_LEN(entries));
	map->n = ARRAY_LEN(entries);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		const struct entry *e = &entries[i];
		map->v[i].key = e->name;
		map->v[i].value = opt_int(e->counted.p ? iam_count_get(w, e->counted) : e->number);
	}
	return 0;
}

int iam_get_account_summary(struct task *t, const struct iam_get_account_summary_in *in,
        struct iam_get_account_summary_out *out)
{
	return iam_view(t, get_account_summary, in, out);
}
