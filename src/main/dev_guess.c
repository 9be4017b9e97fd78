/* dev_guess: which runtime and handler, by the names and the text of files. */
#include "main/dev.h"

#include "codec/json.h"
#include "runtime/interpreters.h"

#include <fcntl.h>
#include <unistd.h>

#define FILE_MAX (1 << 20)

static struct str read_file(struct arena *a, struct str path)
{
	CLEANUP(fd_closep) int fd = open(str_cstr(a, path), O_RDONLY | O_CLOEXEC);
	char *p = fd < 0 ? NULL : arena_bytes(a, FILE_MAX);
	ssize_t n = fd < 0 ? -1 : read(fd, p, FILE_MAX);

	return n < 0 ? (struct str){ 0 } : (struct str){ p, (size_t)n };
}

/* The newest that runs here as it is; else the newest. */
static struct str newest(enum runtime_language language)
{
	size_t n;
	const struct runtime_kind *v = runtime_kinds(&n), *found = NULL;
	bool exact = false;

	for (size_t i = 0; i < n; i++) {
		if (v[i].language != language)
			continue;
		const struct interpreter *in = interpreter_find(&v[i]);
		bool is_exact = in->path && !in->nearest;
		if (!found || is_exact || !exact)
			found = &v[i];
		exact = exact || is_exact;
	}
	return found ? found->name : (struct str){ 0 };
}

struct form {
	struct str file, module;
	enum runtime_language language;
};

static const struct form forms[] = {
	{ S_INIT("app.py"), S_INIT("app"), LANGUAGE_PYTHON },
	{ S_INIT("lambda_function.py"), S_INIT("lambda_function"), LANGUAGE_PYTHON },
	{ S_INIT("handler.py"), S_INIT("handler"), LANGUAGE_PYTHON },
	{ S_INIT("main.py"), S_INIT("main"), LANGUAGE_PYTHON },
	{ S_INIT("index.py"), S_INIT("index"), LANGUAGE_PYTHON },
	{ S_INIT("index.mjs"), S_INIT("index"), LANGUAGE_NODEJS },
	{ S_INIT("index.js"), S_INIT("index"), LANGUAGE_NODEJS },
	{ S_INIT("index.cjs"), S_INIT("index"), LANGUAGE_NODEJS },
	{ S_INIT("app.mjs"), S_INIT("app"), LANGUAGE_NODEJS },
	{ S_INIT("app.js"), S_INIT("app"), LANGUAGE_NODEJS },
	{ S_INIT("handler.mjs"), S_INIT("handler"), LANGUAGE_NODEJS },
	{ S_INIT("handler.js"), S_INIT("handler"), LANGUAGE_NODEJS },
	{ S_INIT("src/index.mjs"), S_INIT("src/index"), LANGUAGE_NODEJS },
	{ S_INIT("src/index.js"), S_INIT("src/index"), LANGUAGE_NODEJS },
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool has_word(struct str text, struct str word)
{
	for (size_t from = 0;;) {
		struct str rest = str_sub(text, from, text.n);
		ptrdiff_t at = str_find(rest, word);
		if (at < 0)
			return false;
		size_t end = (size_t)at + word.n;
		if ((at == 0 || !is_word(rest.p[at - 1])) &&
		        (end == rest.n || !is_word(rest.p[end])))
			return true;
		from += end;
	}
}

/* The function in it that is meant, or none. */
static struct str function_in(struct str text)
{
	static const struct str names[] = { S_INIT("lambda_handler"), S_INIT("handler"),
		S_INIT("main") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (has_word(text, names[i]))
			return names[i];
	return (struct str){ 0 };
}

struct dev_guess dev_guess(struct arena *a, struct str directory, struct str below)
{
	struct str folder = below.n ? str_concat(a, 2, below, S("/")) : S("");
	struct str bootstrap = str_concat(a, 3, directory, S("/"), S("bootstrap"));

	if (access(str_cstr(a, bootstrap), X_OK) == 0)
		return (struct dev_guess){ S("provided.al2023"), S("bootstrap") };
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct str text =
		        read_file(a, str_concat(a, 4, directory, S("/"), folder, forms[i].file));
		struct str name = function_in(text);
		if (name.n)
			return (struct dev_guess){ newest(forms[i].language),
				str_concat(a, 4, folder, forms[i].module, S("."), name) };
	}
	return (struct dev_guess){ 0 };
}

struct dev_script dev_script(struct arena *a, struct str directory)
{
	static const char *const watches[] = { "watch", "build:watch", "watch:build" };
	struct str text = read_file(a, str_concat(a, 2, directory, S("/package.json")));
	struct dev_script s = { 0 };
	yyjson_val *root;

	if (!text.n || json_parse(a, text, &root) != 0)
		return s;
	yyjson_val *scripts = json_get(root, "scripts");
	for (size_t i = 0; i < ARRAY_LEN(watches) && !s.watch.n; i++)
		if (json_get(scripts, watches[i]))
			s.watch = str_printf(a, "npm run --silent %s", watches[i]);
	if (json_get(scripts, "build"))
		s.build = S("npm run --silent build");
	return s;
}
