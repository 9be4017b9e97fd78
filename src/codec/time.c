/* time: the three forms in which AWS writes moments. */
#include "codec/codec.h"

#include <stdio.h>
#include <time.h>

static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

static struct tm split(int64_t ms, int *rest)
{
	int64_t s = ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
	time_t seconds = (time_t)s;
	struct tm tm;

	*rest = (int)(ms - s * 1000);
	gmtime_r(&seconds, &tm);
	return tm;
}

struct str time_iso8601(struct arena *a, int64_t ms, bool with_ms)
{
	int rest;
	struct tm tm = split(ms, &rest);
	char *p = arena_bytes(a, 48);
	int n = snprintf(p, 48, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
	        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);

	n += with_ms ? snprintf(p + n, 48 - (size_t)n, ".%03dZ", rest)
	             : snprintf(p + n, 48 - (size_t)n, "Z");
	return (struct str){ p, (size_t)n };
}

struct str time_rfc822(struct arena *a, int64_t ms)
{
	int rest;
	struct tm tm = split(ms, &rest);

	return str_printf(a, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
	        months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct str time_basic(struct arena *a, int64_t ms)
{
	int rest;
	struct tm tm = split(ms, &rest);

	return str_printf(a, "%04d%02d%02dT%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
	        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* n digits off the front of *s. */
static bool digits(struct str *s, size_t n, int *value)
{
	if (s->n < n)
		return false;
	*value = 0;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*value = *value * 10 + (s->p[i] - '0');
	}
	*s = str_sub(*s, n, s->n);
	return true;
}

static bool literal(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

static int join(struct tm tm, int extra_ms, int64_t *ms)
{
	bool valid = tm.tm_mon >= 0 && tm.tm_mon < 12 && tm.tm_mday >= 1 && tm.tm_mday <= 31 &&
	             tm.tm_hour < 24 && tm.tm_min < 60 && tm.tm_sec <= 60;

	if (!valid)
		return CODEC_BAD;
	*ms = (int64_t)timegm(&tm) * 1000 + extra_ms;
	return 0;
}

/* ".123456" as milliseconds. */
static int fraction(struct str *s)
{
	int ms = 0, scale = 100;

	while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
		ms += (s->p[0] - '0') * scale;
		scale /= 10;
		*s = str_sub(*s, 1, s->n);
	}
	return ms;
}

/* "Z", "+01:00", "+0100"; minutes east. */
static bool zone(struct str *s, int *minutes)
{
	int hours, rest = 0, sign;

	*minutes = 0;
	if (literal(s, 'Z') || literal(s, 'z'))
		return true;
	sign = literal(s, '-') ? -1 : literal(s, '+') ? 1 : 0;
	if (!sign || !digits(s, 2, &hours))
		return false;
	(void)literal(s, ':');
	if (!digits(s, 2, &rest) || hours > 23 || rest > 59)
		return false;
	*minutes = sign * (hours * 60 + rest);
	return true;
}

int time_parse_iso8601(struct str s, int64_t *ms)
{
	struct tm tm = { 0 };
	int extra = 0, east = 0;

	if (!digits(&s, 4, &tm.tm_year) || !literal(&s, '-') || !digits(&s, 2, &tm.tm_mon) ||
	        !literal(&s, '-') || !digits(&s, 2, &tm.tm_mday))
		return CODEC_BAD;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (s.n == 0)
		return join(tm, 0, ms);
	if (!(literal(&s, 'T') || literal(&s, 't') || literal(&s, ' ')) ||
	        !digits(&s, 2, &tm.tm_hour) || !literal(&s, ':') || !digits(&s, 2, &tm.tm_min))
		return CODEC_BAD;
	if (literal(&s, ':') && !digits(&s, 2, &tm.tm_sec))
		return CODEC_BAD;
	if (literal(&s, '.'))
		extra = fraction(&s);
	if (s.n && (!zone(&s, &east) || s.n))
		return CODEC_BAD;
	TRY(join(tm, extra, ms));
	*ms -= (int64_t)east * 60000;
	return 0;
}

static bool month(struct str *s, int *value)
{
	for (*value = 0; *value < 12; (*value)++)
		if (str_starts(*s, str_of(months[*value]))) {
			*s = str_sub(*s, 3, s->n);
			return true;
		}
	return false;
}

int time_parse_rfc822(struct str s, int64_t *ms)
{
	struct tm tm = { 0 };
	ptrdiff_t comma = str_find(s, S(", "));

	if (comma != 3)
		return CODEC_BAD;
	s = str_sub(s, 5, s.n);
	if (!digits(&s, 2, &tm.tm_mday) || !literal(&s, ' ') || !month(&s, &tm.tm_mon) ||
	        !literal(&s, ' ') || !digits(&s, 4, &tm.tm_year) || !literal(&s, ' ') ||
	        !digits(&s, 2, &tm.tm_hour) || !literal(&s, ':') || !digits(&s, 2, &tm.tm_min) ||
	        !literal(&s, ':') || !digits(&s, 2, &tm.tm_sec))
		return CODEC_BAD;
	if (!str_eq(s, S(" GMT")) && !str_eq(s, S(" UTC")) && !str_eq(s, S(" +0000")))
		return CODEC_BAD;
	tm.tm_year -= 1900;
	return join(tm, 0, ms);
}

int time_parse_basic(struct str s, int64_t *ms)
{
	struct tm tm = { 0 };

	if (!digits(&s, 4, &tm.tm_year) || !digits(&s, 2, &tm.tm_mon) ||
	        !digits(&s, 2, &tm.tm_mday) || !literal(&s, 'T') || !digits(&s, 2, &tm.tm_hour) ||
	        !digits(&s, 2, &tm.tm_min) || !digits(&s, 2, &tm.tm_sec) || !literal(&s, 'Z') ||
	        s.n)
		return CODEC_BAD;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return join(tm, 0, ms);
}
