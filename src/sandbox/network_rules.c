/* network_rules: what the packet filter of a sandbox does with packets that reach its loopback
 * interface. Expressions as nf_tables has them, a rule a line. */
#include "sandbox/netlink.h"
#include "sandbox/network.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum kind {
	END,
	META, /* a: key; into the register */
	LOAD, /* a: base, b: offset, n: bytes; into the register */
	MASK, /* value */
	IS,   /* value: the rule goes on */
	IS_NOT,
	PORT,   /* value */
	TPROXY, /* to the port in the register */
	VERDICT /* a */
};

struct expression {
	enum kind kind;
	uint32_t a, b, n;
	const char *value;
};

#define NETWORK_HEADER   NFT_PAYLOAD_NETWORK_HEADER
#define TRANSPORT_HEADER NFT_PAYLOAD_TRANSPORT_HEADER
#define FAMILY                                     \
	{                                          \
		META, NFT_META_NFPROTO, 0, 0, NULL \
	}
#define PROTOCOL                                   \
	{                                          \
		META, NFT_META_L4PROTO, 0, 0, NULL \
	}
#define BYTES(base, at, n)              \
	{                               \
		LOAD, base, at, n, NULL \
	}
#define EQUAL(n, v)            \
	{                      \
		IS, 0, 0, n, v \
	}
#define DIFFERENT(n, v)            \
	{                          \
		IS_NOT, 0, 0, n, v \
	}
#define END_WITH(v)                    \
	{                              \
		VERDICT, v, 0, 0, NULL \
	}
#define IPV4 FAMILY, EQUAL(1, "\x02")
#define IPV6 FAMILY, EQUAL(1, "\x0a")
#define TCP  PROTOCOL, EQUAL(1, "\x06")

static const uint32_t mark = NETWORK_MARK; /* in the host's byte order */

static const struct expression rules[][8] = {
	/* What stays inside. */
	{ IPV4, BYTES(NETWORK_HEADER, 16, 1), EQUAL(1, "\x7f"), END_WITH(NF_ACCEPT) },
	{ IPV4, BYTES(NETWORK_HEADER, 16, 4), EQUAL(4, "\xa9\xfe\x4c\x01"), END_WITH(NF_ACCEPT) },
	{ IPV6, BYTES(NETWORK_HEADER, 24, 16), EQUAL(16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"),
	        END_WITH(NF_ACCEPT) },
	{ IPV6, BYTES(NETWORK_HEADER, 24, 4), EQUAL(4, "\xfd\x77\x6f\x6c"), END_WITH(NF_ACCEPT) },
	/* Not the first SYN: belongs to a connection. */
	{ TCP, BYTES(TRANSPORT_HEADER, 13, 1), { MASK, 0, 0, 1, "\x12" }, DIFFERENT(1, "\x02"),
	        END_WITH(NF_ACCEPT) },
	/* The relay has a copy of what else leaves. */
	{ { META, NFT_META_MARK, 0, 0, NULL }, DIFFERENT(4, (const char *)&mark),
	        END_WITH(NF_DROP) },
	{ TCP, { PORT, 0, 0, 2, "\0\x01" }, { TPROXY, 0, 0, 0, NULL }, END_WITH(NF_ACCEPT) },
};

static void put_value(struct netlink *m, uint16_t type, const struct expression *e)
{
	size_t at = netlink_nest(m, type);

	netlink_put(m, NFTA_DATA_VALUE, e->value, e->n);
	netlink_nest_end(m, at);
}

static void put_meta(struct netlink *m, const struct expression *e)
{
	netlink_put_be32(m, NFTA_META_KEY, e->a);
	netlink_put_be32(m, NFTA_META_DREG, NFT_REG_1);
}

static void put_load(struct netlink *m, const struct expression *e)
{
	netlink_put_be32(m, NFTA_PAYLOAD_DREG, NFT_REG_1);
	netlink_put_be32(m, NFTA_PAYLOAD_BASE, e->a);
	netlink_put_be32(m, NFTA_PAYLOAD_OFFSET, e->b);
	netlink_put_be32(m, NFTA_PAYLOAD_LEN, e->n);
}

static void put_mask(struct netlink *m, const struct expression *e)
{
	struct expression zero = { .n = e->n, .value = "\0\0\0\0" };

	netlink_put_be32(m, NFTA_BITWISE_SREG, NFT_REG_1);
	netlink_put_be32(m, NFTA_BITWISE_DREG, NFT_REG_1);
	netlink_put_be32(m, NFTA_BITWISE_LEN, e->n);
	put_value(m, NFTA_BITWISE_MASK, e);
	put_value(m, NFTA_BITWISE_XOR, &zero);
}

static void put_compare(struct netlink *m, const struct expression *e)
{
	netlink_put_be32(m, NFTA_CMP_SREG, NFT_REG_1);
	netlink_put_be32(m, NFTA_CMP_OP, e->kind == IS ? NFT_CMP_EQ : NFT_CMP_NEQ);
	put_value(m, NFTA_CMP_DATA, e);
}

static void put_port(struct netlink *m, const struct expression *e)
{
	netlink_put_be32(m, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_value(m, NFTA_IMMEDIATE_DATA, e);
}

static void put_tproxy(struct netlink *m, const struct expression *e)
{
	netlink_put_be32(m, NFTA_TPROXY_FAMILY, NFPROTO_UNSPEC);
	netlink_put_be32(m, NFTA_TPROXY_REG_PORT, NFT_REG_1);
}

static void put_verdict(struct netlink *m, const struct expression *e)
{
	netlink_put_be32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	size_t data = netlink_nest(m, NFTA_IMMEDIATE_DATA);
	size_t verdict = netlink_nest(m, NFTA_DATA_VERDICT);
	netlink_put_be32(m, NFTA_VERDICT_CODE, e->a);
	netlink_nest_end(m, verdict);
	netlink_nest_end(m, data);
}

static const struct {
	const char *name;
	void (*put)(struct netlink *m, const struct expression *e);
} kinds[] = {
	[META] = { "meta", put_meta },
	[LOAD] = { "payload", put_load },
	[MASK] = { "bitwise", put_mask },
	[IS] = { "cmp", put_compare },
	[IS_NOT] = { "cmp", put_compare },
	[PORT] = { "immediate", put_port },
	[TPROXY] = { "tproxy", put_tproxy },
	[VERDICT] = { "immediate", put_verdict },
};

static void put_expression(struct netlink *m, const struct expression *e)
{
	size_t element = netlink_nest(m, NFTA_LIST_ELEM);

	netlink_put_text(m, NFTA_EXPR_NAME, kinds[e->kind].name);
	size_t data = netlink_nest(m, NFTA_EXPR_DATA);
	kinds[e->kind].put(m, e);
	netlink_nest_end(m, data);
	netlink_nest_end(m, element);
}

static void begin(struct netlink *m, int what, uint16_t flags)
{
	struct nfgenmsg inet = { .nfgen_family = NFPROTO_INET };

	netlink_begin(m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), flags, &inet, sizeof inet);
}

static void put_rule(struct netlink *m, const struct expression *e)
{
	begin(m, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	netlink_put_text(m, NFTA_RULE_TABLE, "wolke");
	netlink_put_text(m, NFTA_RULE_CHAIN, "in");
	size_t list = netlink_nest(m, NFTA_RULE_EXPRESSIONS);
	for (; e->kind != END; e++)
		put_expression(m, e);
	netlink_nest_end(m, list);
	netlink_end(m);
}

static void put_chain(struct netlink *m)
{
	begin(m, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_text(m, NFTA_CHAIN_TABLE, "wolke");
	netlink_put_text(m, NFTA_CHAIN_NAME, "in");
	size_t hook = netlink_nest(m, NFTA_CHAIN_HOOK);
	netlink_put_be32(m, NFTA_HOOK_HOOKNUM, NF_INET_PRE_ROUTING);
	netlink_put_be32(m, NFTA_HOOK_PRIORITY, (uint32_t)-150);
	netlink_nest_end(m, hook);
	netlink_put_text(m, NFTA_CHAIN_TYPE, "filter");
	netlink_end(m);
}

static void put_batch(struct netlink *m, uint16_t type, uint16_t flags)
{
	struct nfgenmsg all = { .nfgen_family = AF_UNSPEC, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	netlink_begin(m, type, flags, &all, sizeof all);
	netlink_end(m);
}

int network_inside_rules(void)
{
	struct netlink m = { 0 };

	put_batch(&m, NFNL_MSG_BATCH_BEGIN, 0);
	begin(&m, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	netlink_put_text(&m, NFTA_TABLE_NAME, "wolke");
	netlink_end(&m);
	put_chain(&m);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		put_rule(&m, rules[i]);
	put_batch(&m, NFNL_MSG_BATCH_END, 0);
	return netlink_send(&m, NETLINK_NETFILTER);
}
