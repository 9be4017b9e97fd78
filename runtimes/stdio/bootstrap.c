/*
 * The stdio bridge: a `bootstrap` for provided.al2023 that keeps any program alive and passes it
 * one event per line on standard input, taking one JSON result per line from its standard output.
 * People write functions in Racket, Perl, awk or shell that way. README.md says it from their side.
 *
 *     zip function.zip bootstrap notes.pl
 *     aws lambda create-function --runtime provided.al2023 --handler notes.pl ...
 *
 * One file, libc only, so that it can be linked statically and put into any package.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define API            "/2018-06-01/runtime"
#define LINE_MAX_BYTES (32u << 20) /* of a result; Lambda itself refuses more than 6 MB */
#define ARGS_MAX       32

struct bytes {
	char *p;
	size_t n, capacity;
};

static void __attribute__((noreturn, format(printf, 1, 2))) fatal(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bootstrap: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
	exit(1);
}

static void bytes_reserve(struct bytes *b, size_t more)
{
	if (b->n + more + 1 <= b->capacity)
		return;
	b->capacity = (b->n + more + 1) * 2;
	b->p = realloc(b->p, b->capacity);
	if (!b->p)
		fatal("out of memory");
}

static void bytes_add(struct bytes *b, const char *p, size_t n)
{
	bytes_reserve(b, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

static void bytes_text(struct bytes *b, const char *text)
{
	bytes_add(b, text, strlen(text));
}

/* As a JSON string. */
static void bytes_quoted(struct bytes *b, const char *text)
{
	char code[8];

	bytes_text(b, "\"");
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			bytes_add(b, "\\", 1);
		if (*c >= 0x20) {
			bytes_add(b, (const char *)c, 1);
			continue;
		}
		snprintf(code, sizeof code, "\\u%04x", *c);
		bytes_text(b, code);
	}
	bytes_text(b, "\"");
}

static void bytes_drop(struct bytes *b, size_t n)
{
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

/* ---- the Runtime API: HTTP/1.1 over one connection ---- */

struct api {
	char host[256];
	struct sockaddr_in address;
	int fd;
	struct bytes in; /* received and not yet used */
};

struct invocation {
	char id[128], deadline[32], arn[512], trace[512];
	struct bytes client_context, identity;
	struct bytes event;
};

static void api_init(struct api *api)
{
	const char *text = getenv("AWS_LAMBDA_RUNTIME_API");
	char ip[256];
	const char *colon;

	snprintf(api->host, sizeof api->host, "%s", text && *text ? text : "127.0.0.1:9001");
	colon = strrchr(api->host, ':');
	snprintf(ip, sizeof ip, "%.*s", (int)(colon ? colon - api->host : 0), api->host);
	if (strcmp(ip, "localhost") == 0)
		snprintf(ip, sizeof ip, "127.0.0.1");
	api->address.sin_family = AF_INET;
	api->address.sin_port = htons((uint16_t)(colon ? strtoul(colon + 1, NULL, 10) : 0));
	if (inet_pton(AF_INET, ip, &api->address.sin_addr) != 1)
		fatal("AWS_LAMBDA_RUNTIME_API is not an address: %s", api->host);
	api->fd = -1;
}

static void api_connect(struct api *api)
{
	int on = 1;

	api->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (api->fd < 0 || connect(api->fd, (struct sockaddr *)&api->address, sizeof api->address))
		fatal("the Runtime API at %s: %s", api->host, strerror(errno));
	setsockopt(api->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	api->in.n = 0;
}

static bool send_all(int fd, const struct bytes *out)
{
	for (size_t done = 0; done < out->n;) {
		ssize_t n = send(fd, out->p + done, out->n - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool receive_some(struct api *api)
{
	ssize_t n;

	bytes_reserve(&api->in, 65536);
	do
		n = recv(api->fd, api->in.p + api->in.n, 65536, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	api->in.n += (size_t)n;
	api->in.p[api->in.n] = 0;
	return true;
}

/* The value of a header line of this name, or NULL; it ends at the line's end. */
static const char *header_value(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	return line + n + 1 + strspn(line + n + 1, " \t");
}

static void take_text(const char *line, const char *name, char *to, size_t size)
{
	const char *value = header_value(line, name);

	if (value)
		snprintf(to, size, "%.*s", (int)strcspn(value, "\r\n"), value);
}

static void take_bytes(const char *line, const char *name, struct bytes *to)
{
	const char *value = header_value(line, name);

	if (value)
		bytes_add(to, value, strcspn(value, "\r\n"));
}

/* Reads the headers up to their end; false: the connection is gone. */
static bool receive_head(struct api *api, size_t *size)
{
	char *end;

	while (!api->in.n || !(end = strstr(api->in.p, "\r\n\r\n")))
		if (!receive_some(api))
			return false;
	*size = (size_t)(end - api->in.p) + 4;
	return true;
}

static bool receive_chunked(struct api *api, struct bytes *body)
{
	for (;;) {
		char *line;

		while (!api->in.n || !(line = strstr(api->in.p, "\r\n")))
			if (!receive_some(api))
				return false;
		size_t n = strtoul(api->in.p, NULL, 16), head = (size_t)(line - api->in.p) + 2;
		while (api->in.n < head + n + 2)
			if (!receive_some(api))
				return false;
		bytes_add(body, api->in.p + head, n);
		bytes_drop(&api->in, head + n + 2);
		if (n == 0)
			return true;
	}
}

/* One answer. in: where its headers and body go; NULL: nowhere. Returns the status; 0: the
 * connection is gone. */
static int receive_answer(struct api *api, struct invocation *in)
{
	size_t head, length = 0;
	bool chunked = false;
	struct bytes ignored = { 0 }, *body = in ? &in->event : &ignored;

	if (!receive_head(api, &head))
		return 0;
	int status = (int)strtol(api->in.p + strcspn(api->in.p, " "), NULL, 10);
	for (const char *line = api->in.p; line < api->in.p + head - 2;
	        line = strstr(line, "\r\n") + 2) {
		const char *value = header_value(line, "Content-Length");

		length = value ? strtoul(value, NULL, 10) : length;
		value = header_value(line, "Transfer-Encoding");
		chunked = chunked || (value && strncasecmp(value, "chunked", 7) == 0);
		if (!in)
			continue;
		take_text(line, "Lambda-Runtime-Aws-Request-Id", in->id, sizeof in->id);
		take_text(line, "Lambda-Runtime-Deadline-Ms", in->deadline, sizeof in->deadline);
		take_text(line, "Lambda-Runtime-Invoked-Function-Arn", in->arn, sizeof in->arn);
		take_text(line, "Lambda-Runtime-Trace-Id", in->trace, sizeof in->trace);
		take_bytes(line, "Lambda-Runtime-Client-Context", &in->client_context);
		take_bytes(line, "Lambda-Runtime-Cognito-Identity", &in->identity);
	}
	bytes_drop(&api->in, head);
	if (chunked) {
		status = receive_chunked(api, body) ? status : 0;
	} else {
		while (api->in.n < length)
			if (!receive_some(api))
				return 0;
		bytes_add(body, api->in.p, length);
		bytes_drop(&api->in, length);
	}
	free(ignored.p);
	return status;
}

/* Sends a request and reads its answer, on a new connection when the old one was closed meanwhile.
 */
static int exchange(struct api *api, const struct bytes *request, struct invocation *in)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		if (api->fd < 0)
			api_connect(api);
		int status = send_all(api->fd, request) ? receive_answer(api, in) : 0;
		if (status)
			return status;
		close(api->fd);
		api->fd = -1;
	}
	fatal("the Runtime API at %s closed the connection", api->host);
}

static void api_next(struct api *api, struct invocation *in)
{
	struct bytes out = { 0 };

	*in = (struct invocation){
		.event = in->event, .client_context = in->client_context, .identity = in->identity
	};
	in->event.n = in->client_context.n = in->identity.n = 0;
	bytes_text(&out, "GET " API "/invocation/next HTTP/1.1\r\nHost: ");
	bytes_text(&out, api->host);
	bytes_text(&out, "\r\n\r\n");
	int status = exchange(api, &out, in);
	free(out.p);
	if (status != 200 || !*in->id)
		fatal("the Runtime API answered %d", status);
}

/* what: "response", "error"; id NULL: an error of the initialisation. */
static void api_report(struct api *api, const char *id, const char *what, const struct bytes *body,
        const char *error_type)
{
	struct bytes out = { 0 };
	char head[1024];

	if (id)
		snprintf(head, sizeof head, "POST " API "/invocation/%s/%s HTTP/1.1\r\n", id, what);
	else
		snprintf(head, sizeof head, "POST " API "/init/error HTTP/1.1\r\n");
	bytes_text(&out, head);
	snprintf(head, sizeof head,
	        "Host: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n", api->host,
	        body->n);
	bytes_text(&out, head);
	if (error_type) {
		snprintf(head, sizeof head, "Lambda-Runtime-Function-Error-Type: %s\r\n",
		        error_type);
		bytes_text(&out, head);
	}
	bytes_text(&out, "\r\n");
	bytes_add(&out, body->p ? body->p : "", body->n);
	exchange(api, &out, NULL);
	free(out.p);
}

static void report_failure(struct api *api, const char *id, const char *type, const char *message)
{
	struct bytes body = { 0 };

	bytes_text(&body, "{\"errorType\":");
	bytes_quoted(&body, type);
	bytes_text(&body, ",\"errorMessage\":");
	bytes_quoted(&body, message);
	bytes_text(&body, "}");
	fprintf(stderr, "[ERROR] %s: %s\n", type, message);
	api_report(api, id, "error", &body, type);
	free(body.p);
}

/* ---- the program ---- */

struct program {
	char command[512]; /* the handler, cut into args */
	char *args[ARGS_MAX + 1];
	pid_t pid; /* 0: not running */
	int to, from;
	struct bytes out; /* what it wrote and nobody took */
	bool served;      /* it has answered an event */
	bool torn;        /* it answered before it had read the whole event */
};

/* A handler has no blanks: commas part the program from its arguments. */
static void program_init(struct program *p)
{
	const char *handler = getenv("_HANDLER"), *task = getenv("LAMBDA_TASK_ROOT");
	size_t n = 0;
	char *rest = NULL;

	if (chdir(task && *task ? task : "/var/task") != 0)
		fprintf(stderr, "bootstrap: %s: %s\n", task ? task : "/var/task", strerror(errno));
	snprintf(p->command, sizeof p->command, "%s", handler ? handler : "");
	for (char *word = strtok_r(p->command, ", ", &rest); word && n < ARGS_MAX;
	        word = strtok_r(NULL, ", ", &rest))
		p->args[n++] = word;
	if (n == 0)
		fatal("the handler names no program");
}

/* In the child. A program of the package comes before one of the system. */
static void __attribute__((noreturn)) program_exec(struct program *p, int in, int out, int failed)
{
	char path[600];

	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	signal(SIGPIPE, SIG_DFL);
	snprintf(path, sizeof path, "./%s", p->args[0]);
	if (*p->args[0] != '/' && access(path, F_OK) == 0)
		execv(path, p->args);
	else
		execvp(p->args[0], p->args);
	int error = errno;
	if (write(failed, &error, sizeof error) < 0)
		_exit(126);
	_exit(127);
}

/* 0, or why it does not start. */
static int program_start(struct program *p)
{
	int to[2], from[2], failed[2], error = 0;

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		return errno;
	p->pid = fork();
	if (p->pid < 0)
		return errno;
	if (p->pid == 0)
		program_exec(p, to[0], from[1], failed[1]);
	close(to[0]);
	close(from[1]);
	close(failed[1]);
	if (read(failed[0], &error, sizeof error) < 0)
		error = errno;
	close(failed[0]);
	p->to = to[1];
	p->from = from[0];
	p->out.n = 0;
	p->served = p->torn = false;
	fcntl(p->to, F_SETFL, O_NONBLOCK);
	fcntl(p->from, F_SETFL, O_NONBLOCK);
	return error;
}

/* Ends it if it has not ended itself, and says how it ended. */
static void program_reap(struct program *p, char *how, size_t size)
{
	int status = 0;

	close(p->to);
	close(p->from);
	// Standard output closed while it lives on: it cannot answer any more.
	for (int i = 0; i < 100 && waitpid(p->pid, &status, WNOHANG) == 0; i++) {
		if (i == 50)
			kill(p->pid, SIGKILL);
		usleep(i < 10 ? 100 : 2000);
	}
	p->pid = 0;
	if (WIFSIGNALED(status))
		snprintf(how, size, "signal: %s", strsignal(WTERMSIG(status)));
	else
		snprintf(how, size, "exit status %d", WEXITSTATUS(status));
}

/* Reads what is there. 1: something, 0: nothing now, -1: the end. */
static int program_read(struct program *p)
{
	bytes_reserve(&p->out, 65536);
	ssize_t n = read(p->from, p->out.p + p->out.n, 65536);
	if (n > 0) {
		p->out.n += (size_t)n;
		return 1;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* Before an event is sent: what the program wrote since its last answer is no answer. False: it has
 * ended. */
static bool program_drain(struct program *p)
{
	int state;

	while ((state = program_read(p)) == 1)
		;
	if (p->out.n > 0)
		fprintf(stderr, "bootstrap: output that answers no event: %.*s%s", (int)p->out.n,
		        p->out.p, p->out.p[p->out.n - 1] == '\n' ? "" : "\n");
	p->out.n = 0;
	return state == 0;
}

/* Did it end before it read anything of what was sent? A script that answers one event and ends may
 * have been on its way out. */
static bool never_read(const struct program *p, size_t sent)
{
	int waiting = 0;

	return ioctl(p->to, FIONREAD, &waiting) == 0 && (size_t)waiting == sent;
}

enum ask_result { ASK_ANSWERED, ASK_ENDED, ASK_NEVER_READ, ASK_TOO_LONG };

/* Writes the line and reads one, both at a time: neither side can block the other. *size: of the
 * answer at the start of p->out, without its line end. */
static enum ask_result program_ask(struct program *p, const struct bytes *line, size_t *size)
{
	size_t sent = 0, searched = 0;
	bool closed = false;

	for (;;) {
		struct pollfd fds[2] = { { .fd = p->from, .events = POLLIN },
			{ .fd = sent < line->n && !closed ? p->to : -1, .events = POLLOUT } };

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents) {
			ssize_t n = write(p->to, line->p + sent, line->n - sent);
			sent += n > 0 ? (size_t)n : 0;
			closed = n < 0 && errno == EPIPE;
		}
		if (!fds[0].revents)
			continue;
		int state = program_read(p);
		char *end =
		        p->out.n ? memchr(p->out.p + searched, '\n', p->out.n - searched) : NULL;
		p->torn = sent < line->n;
		*size = end ? (size_t)(end - p->out.p) : p->out.n;
		if (end || (state < 0 && p->out.n)) // the last line may lack its end
			return ASK_ANSWERED;
		if (state < 0)
			return never_read(p, sent) ? ASK_NEVER_READ : ASK_ENDED;
		searched = p->out.n;
		if (searched > LINE_MAX_BYTES)
			return ASK_TOO_LONG;
	}
}

/* ---- one invocation ---- */

static void member(struct bytes *b, const char *name, const char *text)
{
	bytes_quoted(b, name);
	bytes_text(b, ":");
	bytes_quoted(b, text);
	bytes_text(b, ",");
}

static void raw_member(struct bytes *b, const char *name, const struct bytes *json)
{
	bytes_quoted(b, name);
	bytes_text(b, ":");
	if (json->n)
		bytes_add(b, json->p, json->n);
	else
		bytes_text(b, "null");
}

/* The line that the program gets. JSON has line ends only between its tokens. */
static void make_line(const struct invocation *in, bool with_context, struct bytes *line)
{
	line->n = 0;
	if (with_context) {
		bytes_text(line, "{\"context\":{");
		member(line, "aws_request_id", in->id);
		member(line, "invoked_function_arn", in->arn);
		member(line, "trace_id", in->trace);
		bytes_text(line, "\"deadline_ms\":");
		bytes_text(line, *in->deadline ? in->deadline : "0");
		bytes_text(line, ",");
		raw_member(line, "client_context", &in->client_context);
		bytes_text(line, ",");
		raw_member(line, "identity", &in->identity);
		bytes_text(line, "},\"event\":");
	}
	bytes_add(line, in->event.p, in->event.n);
	if (with_context)
		bytes_text(line, "}");
	for (size_t i = 0; i < line->n; i++)
		if (line->p[i] == '\n' || line->p[i] == '\r')
			line->p[i] = ' ';
	bytes_text(line, "\n");
}

/* Steps over a JSON string that begins at p[i]; returns the index behind it. */
static size_t skip_string(const char *p, size_t n, size_t i)
{
	for (i++; i < n && p[i] != '"'; i++)
		if (p[i] == '\\')
			i++;
	return i + 1;
}

/* The value of a string member at the top level of an object; false: there is none. */
static bool find_member(const struct bytes *json, const char *name, char *value, size_t size)
{
	const char *p = json->p;
	size_t n = json->n, depth = 0, length = strlen(name);
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '{' || p[i] == '[')
			depth++;
		else if (p[i] == '}' || p[i] == ']')
			depth--;
		if (p[i] != '"')
			continue;
		size_t end = skip_string(p, n, i);
		if (end > n)
			return false;
		if (found && depth == 1) {
			snprintf(value, size, "%.*s", (int)(end - i - 2), p + i + 1);
			return true;
		}
		size_t next = end + (end < n ? strspn(p + end, " \t") : 0);
		found = depth == 1 && end - i - 2 == length &&
		        memcmp(p + i + 1, name, length) == 0 && next < n && p[next] == ':' &&
		        p[next + 1 + strspn(p + next + 1, " \t")] == '"';
		i = end - 1;
	}
	return false;
}

static void report_answer(struct api *api, const char *id, struct bytes *answer)
{
	char type[128], message[1024];
	size_t blank = strspn(answer->p, " \t\r");

	if (answer->n == blank) {
		answer->n = 0;
		bytes_text(answer, "null");
	}
	if (answer->p[blank] == '{' && find_member(answer, "errorType", type, sizeof type) &&
	        find_member(answer, "errorMessage", message, sizeof message)) {
		fprintf(stderr, "[ERROR] %s: %s\n", type, message);
		api_report(api, id, "error", answer, type);
		return;
	}
	api_report(api, id, "response", answer, NULL);
}

/* A running program with nothing left of earlier events. 0, or why there is none. */
static int program_ready(struct program *p)
{
	char how[64];
	int error;

	if (p->pid && !program_drain(p))
		program_reap(p, how, sizeof how);
	if (p->pid)
		return 0;
	error = program_start(p);
	if (error)
		program_reap(p, how, sizeof how);
	return error;
}

static void serve_answered(struct api *api, struct program *p, const char *id, size_t size)
{
	struct bytes answer = { 0 };
	char how[64];

	bytes_add(&answer, p->out.p, size);
	bytes_drop(&p->out, size < p->out.n ? size + 1 : size);
	p->served = true;
	if (p->torn) {
		kill(p->pid, SIGKILL);
		program_reap(p, how, sizeof how);
	}
	report_answer(api, id, &answer);
	free(answer.p);
}

static void serve(struct api *api, struct program *p, const char *id, const struct bytes *line)
{
	char how[64], message[256];
	size_t size = 0;
	int error = program_ready(p);

	if (error) {
		report_failure(api, id, "Runtime.InvalidEntrypoint", strerror(error));
		return;
	}
	enum ask_result result = program_ask(p, line, &size);
	if (result == ASK_ANSWERED) {
		serve_answered(api, p, id, size);
		return;
	}
	bool again = result == ASK_NEVER_READ && p->served;
	if (result == ASK_TOO_LONG)
		kill(p->pid, SIGKILL);
	program_reap(p, how, sizeof how);
	if (again) { // a new one has not served: no second time
		serve(api, p, id, line);
		return;
	}
	if (result == ASK_TOO_LONG) {
		report_failure(api, id, "Function.ResponseSizeTooLarge",
		        "The line that answers has no end.");
		return;
	}
	snprintf(message, sizeof message,
	        "RequestId: %s Error: The program ended without an answer: %s", id, how);
	report_failure(api, id, "Runtime.ExitError", message);
}

int main(void)
{
	struct api api = { 0 };
	struct program program = { 0 };
	struct invocation in = { 0 };
	struct bytes line = { 0 };
	const char *wanted = getenv("WOLKE_STDIO_CONTEXT");
	char message[700];

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stderr, NULL, _IOLBF, 4096);
	api_init(&api);
	program_init(&program);
	int error = program_start(&program);
	if (error) {
		snprintf(message, sizeof message, "Cannot run %s: %s%s", program.args[0],
		        strerror(error), error == EACCES ? " (chmod +x before it is zipped)" : "");
		report_failure(&api, NULL, "Runtime.InvalidEntrypoint", message);
		return 1;
	}
	for (;;) {
		api_next(&api, &in);
		make_line(&in, wanted && strcmp(wanted, "1") == 0, &line);
		serve(&api, &program, in.id, &line);
	}
}
