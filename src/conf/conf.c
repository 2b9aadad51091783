#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dsn.h"
#include "conf/conf_table.h"

/* A file under way: what has been read, and where. */
struct reader {
	struct str path;
	unsigned line;
	struct str section;
	struct arena *arena;
	struct conf *conf;
	struct buf *message;
};

static enum dk_err fail_at(
    struct reader *r, unsigned line, const char *fmt, ...) DK_PRINTF(3, 4);

static enum dk_err
fail_at(struct reader *r, unsigned line, const char *fmt, ...)
{
	size_t most = r->message->max / 2;
	struct str path = r->path;
	va_list ap;

	/* The end of a very long path, so that the reason is said too. */
	if (path.n > most)
		path = str_sub(path, path.n - most, most);
	buf_reset(r->message);
	if (line > 0)
		buf_addf(r->message, "%.*s:%u: ", STR_FMT(path), line);
	else
		buf_addf(r->message, "%.*s: ", STR_FMT(path));
	va_start(ap, fmt);
	buf_vaddf(r->message, fmt, ap);
	va_end(ap);
	return DK_ERR_CONF;
}

static enum dk_err
fail_memory(struct reader *r)
{
	(void)fail_at(r, r->line, "does not fit into memory");
	return DK_ERR_NOMEM;
}

static enum dk_err
fail_size(struct reader *r)
{
	(void)fail_at(r, 0, "is larger than %d bytes", CONF_FILE_MAX);
	return DK_ERR_TOO_LARGE;
}

static unsigned *
line_of(struct conf *conf, const struct conf_key *key)
{
	return &conf->lines[key - conf_keys];
}

static bool
section_exists(struct str name)
{
	size_t i;

	if (str_eq(name, STR("access")))
		return true;
	for (i = 0; i < conf_keys_count; i++)
		if (str_eq(name, str_from(conf_keys[i].section)))
			return true;
	return false;
}

/* The keys of a section, for the message about an unknown one. */
static void
list_keys(struct str section, struct buf *out)
{
	const char *comma = "";
	size_t i;

	for (i = 0; i < conf_keys_count; i++)
		if (str_eq(section, str_from(conf_keys[i].section))) {
			buf_addf(out, "%s%s", comma, conf_keys[i].key);
			comma = ", ";
		}
}

static enum dk_err
unknown_key(struct reader *r, struct str key)
{
	char text[512];
	struct buf list;
	size_t i;

	for (i = 0; i < conf_keys_count; i++)
		if (str_eq(key, str_from(conf_keys[i].key)))
			return fail_at(r, r->line,
			    "%.*s belongs into [%s], not into [%.*s]",
			    STR_FMT(key), conf_keys[i].section,
			    STR_FMT(r->section));
	BUF_OVER(&list, text);
	list_keys(r->section, &list);
	key = conf_shown(key);
	return fail_at(r, r->line, "unknown key \"%.*s\"; [%.*s] has: %s",
	    STR_FMT(key), STR_FMT(r->section), buf_z(&list));
}

static enum dk_err
read_setting(struct reader *r, struct str key, struct str value)
{
	const struct conf_key *entry = conf_find_key(r->section, key);
	char text[512];
	struct buf why;
	enum dk_err err;

	if (entry == NULL)
		return unknown_key(r, key);
	if (*line_of(r->conf, entry) != 0)
		return fail_at(r, r->line,
		    "%.*s stands twice, first on line %u; remove one",
		    STR_FMT(key), *line_of(r->conf, entry));
	if (value.n == 0)
		return fail_at(r, r->line,
		    "%.*s has no value; give one or remove the line",
		    STR_FMT(key));
	*line_of(r->conf, entry) = r->line;
	BUF_OVER(&why, text);
	err = conf_set(r->conf, entry, value, r->arena, &why);
	if (err == DK_ERR_NOMEM)
		return fail_memory(r);
	if (err != DK_OK)
		return fail_at(
		    r, r->line, "%.*s %s", STR_FMT(key), buf_z(&why));
	return DK_OK;
}

static bool
same_pattern(const struct conf_rule *a, const struct conf_rule *b)
{
	return str_eq(a->host, b->host) && str_eq(a->pattern, b->pattern);
}

static enum dk_err
read_rule(struct reader *r, struct str line, struct str pattern,
    struct str requirement)
{
	struct str shown = conf_shown(pattern);
	struct conf_rule *rule;
	char text[512];
	struct buf why;
	enum dk_err err;
	size_t i;

	if (r->conf->n_rules == CONF_RULES_MAX)
		return fail_at(r, r->line, "there are too many rules (%d)",
		    CONF_RULES_MAX);
	rule = &r->conf->rules[r->conf->n_rules];
	BUF_OVER(&why, text);
	err = conf_read_rule(pattern, requirement, r->arena, rule, &why);
	if (err == DK_ERR_NOMEM)
		return fail_memory(r);
	if (err != DK_OK)
		return fail_at(r, r->line, "%s", buf_z(&why));
	rule->line = r->line;
	rule->text = line;
	for (i = 0; i < r->conf->n_rules; i++)
		if (same_pattern(&r->conf->rules[i], rule))
			return fail_at(r, r->line,
			    "%.*s stands twice, first on line %u, which "
			    "decides; remove one",
			    STR_FMT(shown), r->conf->rules[i].line);
	r->conf->n_rules++;
	return DK_OK;
}

static enum dk_err
read_head(struct reader *r, struct str line)
{
	struct str shown;

	if (!str_ends(line, STR("]")))
		return fail_at(r, r->line, "a section head is written [name]");
	r->section = str_sub(line, 1, line.n - 2);
	shown = conf_shown(r->section);
	if (!section_exists(r->section))
		return fail_at(r, r->line,
		    "unknown section [%.*s]; there are site, store, session, "
		    "cookie, security, fastcgi, log, metrics, admin and access",
		    STR_FMT(shown));
	return DK_OK;
}

static enum dk_err
read_line(struct reader *r, struct str line)
{
	struct str key, value;
	bool setting;

	if (str_ends(line, STR("\r")))
		line.n--;
	if (r->line == 1 && str_starts(line, STR("\xef\xbb\xbf")))
		return fail_at(r, r->line,
		    "the file begins with a byte order mark; save it as UTF-8 "
		    "without one");
	line = str_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return DK_OK;
	setting = str_split(line, '=', &key, &value);
	key = str_trim(key);
	value = str_trim(value);
	/* Tabs may stand around the words, not within. */
	if (!str_is_printable(key) || !str_is_printable(value))
		return fail_at(r, r->line,
		    "the line holds a control or invisible character, or a "
		    "byte that is not UTF-8; write plain text");
	/* "[::1]/x = any" is a rule. */
	if (line.p[0] == '[' && (!setting || str_ends(line, STR("]"))))
		return read_head(r, line);
	if (!setting)
		return fail_at(r, r->line, "a line is written key = value");
	if (str_is_none(r->section))
		return fail_at(r, r->line,
		    "a section head such as [site] must come first");
	if (str_eq(r->section, STR("access")))
		return read_rule(r, line, key, value);
	return read_setting(r, key, value);
}

static enum dk_err
settle(struct reader *r)
{
	char text[512];
	struct buf why;
	unsigned line = 0;
	enum dk_err err;

	BUF_OVER(&why, text);
	err = conf_settle(r->conf, &line, &why);
	return err == DK_OK ? DK_OK : fail_at(r, line, "%s", buf_z(&why));
}

static enum dk_err
set_defaults(struct reader *r)
{
	char text[512];
	struct buf why;
	enum dk_err err;
	size_t i;

	for (i = 0; i < conf_keys_count; i++) {
		if (conf_keys[i].initial == NULL)
			continue;
		BUF_OVER(&why, text);
		err = conf_set(r->conf, &conf_keys[i],
		    str_from(conf_keys[i].initial), r->arena, &why);
		if (err == DK_ERR_NOMEM)
			return fail_memory(r);
		if (err != DK_OK)
			return DK_ERR_INTERNAL;
	}
	return DK_OK;
}

/* As many as there are lines: seldom what is allowed. */
static size_t
most_rules(struct str text)
{
	size_t n = 1, i;

	for (i = 0; i < text.n && n < CONF_RULES_MAX; i++)
		n += text.p[i] == '\n';
	return n;
}

enum dk_err
conf_parse(struct str path, struct str text, struct arena *arena,
    struct conf *conf, struct buf *message)
{
	struct reader r = {
		.path = path, .arena = arena, .conf = conf, .message = message
	};
	struct str rest, line;
	enum dk_err err;

	*conf = (struct conf){ 0 };
	if (text.n > CONF_FILE_MAX)
		return fail_size(&r);
	rest = arena_dup(arena, text);
	conf->file = arena_dup(arena, path);
	conf->rules =
	    arena_alloc(arena, most_rules(text) * sizeof(*conf->rules));
	if (str_is_none(rest) || str_is_none(conf->file) ||
	    conf->rules == NULL || conf_keys_count > CONF_KEYS_MAX)
		return fail_memory(&r);
	err = set_defaults(&r);
	while (err == DK_OK && str_cut(&rest, '\n', &line)) {
		r.line++;
		err = read_line(&r, line);
	}
	return err == DK_OK ? settle(&r) : err;
}

/* A secret in a file that everybody reads is none. */
static enum dk_err
check_mode(struct reader *r, int fd)
{
	struct stat st;

	if ((str_is_none(r->conf->shared_secret) &&
		!dsn_has_password(r->conf->database)) ||
	    fstat(fd, &st) != 0 || (st.st_mode & S_IROTH) == 0)
		return DK_OK;
	return fail_at(r, 0,
	    "holds a secret and everybody can read it; run: chmod o-rwx %.*s",
	    STR_FMT(r->path));
}

/* The whole file into the arena, or one byte more than is allowed. */
static enum dk_err
read_file(int fd, struct arena *arena, struct str *text)
{
	char *p = arena_alloc(arena, CONF_FILE_MAX + 1);
	size_t n = 0;
	ssize_t got = 1;

	*text = STR_NONE;
	if (p == NULL)
		return DK_ERR_NOMEM;
	while (got > 0 && n <= CONF_FILE_MAX) {
		got = read(fd, p + n, CONF_FILE_MAX + 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	arena_trim(arena, p, n);
	*text = (struct str){ p, n };
	return got < 0 ? DK_ERR_IO : DK_OK;
}

enum dk_err
conf_load(struct str path, struct arena *arena, struct conf *conf,
    struct buf *message)
{
	struct reader r = {
		.path = path, .arena = arena, .conf = conf, .message = message
	};
	struct str name = arena_dup(arena, path), text;
	enum dk_err err;
	int fd;

	if (str_is_none(name))
		return fail_memory(&r);
	fd = open(name.p, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		(void)fail_at(&r, 0,
		    "cannot be read: %s; make one with: doorkeep init, or "
		    "name another in DOORKEEP_CONFIG",
		    strerror(errno));
		return DK_ERR_IO;
	}
	err = read_file(fd, arena, &text);
	if (err == DK_ERR_IO)
		(void)fail_at(&r, 0, "%s", strerror(errno));
	if (err == DK_ERR_NOMEM)
		(void)fail_memory(&r);
	if (err == DK_OK)
		err = conf_parse(path, text, arena, conf, message);
	if (err == DK_OK)
		err = check_mode(&r, fd);
	(void)close(fd);
	return err;
}

unsigned
conf_line(const struct conf *conf, const char *section, const char *key)
{
	const struct conf_key *entry =
	    conf_find_key(str_from(section), str_from(key));

	return entry == NULL ? 0 : conf->lines[entry - conf_keys];
}

void
conf_each(const struct conf *conf, conf_item_fn *fn, void *arg)
{
	char text[8192]; /* the longest list of origins */
	struct buf value;
	size_t i;

	for (i = 0; i < conf_keys_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		struct conf_item item = { key->section, key->key, STR_NONE,
			conf->lines[i], key->help };

		BUF_OVER(&value, text);
		/* A default as the manual writes it: 60s, not 1m. */
		if (conf->lines[i] == 0 && key->initial != NULL)
			buf_addz(&value, key->initial);
		else
			conf_print(conf, key, &value);
		item.value = buf_str(&value);
		fn(arg, &item);
	}
}
