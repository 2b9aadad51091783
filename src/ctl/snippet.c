#include "ctl/snippet.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/embed.h"

extern const struct embedded embedded_snippets[];

/* What is shipped for a server. */
static const struct server {
	const char *name, *file;
	/*
	 * Its example for one more guarded path, told by "/reports", is made
	 * real from this path on; the first paths stand in lines of their own.
	 */
	size_t examples_from;
	/* A page by the name of the path needs a copy of its own. */
	bool exact;
	/* Printed instead of the head of the file; NULL: the head is good. */
	const char *head;
	/* How everything is guarded; NULL: as any other path. */
	const char *everything;
} servers[] = {
	{ "apache", "mod_fcgid.conf", 0, false, NULL, NULL },
	{ "lighttpd", "doorkeep-spawned.conf", 1, false, NULL, NULL },
	{ "nginx", "doorkeep.conf", 0, true,
	    "# doorkeep behind nginx.  These lines go into the server block of "
	    "the site; where\n# it has a location for a guarded path already, "
	    "put the line with\n# doorkeep_gate into that one.  The processes "
	    "are kept by\n#\n#\tdoorkeep serve --config "
	    "/etc/doorkeep/doorkeep.conf \\\n#\t    --listen "
	    "unix:/run/doorkeep/doorkeep.sock,group=www-data\n",
	    "include " DK_DATADIR "/doorkeep/nginx/doorkeep_gate;\n" },
	{ "cgi", "htaccess-cgi-bin", 0, false, NULL, NULL },
};

enum {
	SERVERS = sizeof(servers) / sizeof(servers[0]),
	PATTERN_MAX = 64 * 1024,
	NAMES_MAX = 16
};

struct replacement {
	struct str from, to;
};

struct filling {
	const struct server *server;
	const struct snippet_names *names;
	struct replacement names_of_file[NAMES_MAX];
	size_t n;
	bool everything;
	char guarded_text[PATTERN_MAX], urls_text[PATTERN_MAX],
	    below_text[SNIPPET_PATH_MAX];
};

static const struct server *
find_server(struct str name)
{
	size_t i;

	for (i = 0; i < SERVERS; i++)
		if (str_eq(str_from(servers[i].name), name))
			return &servers[i];
	return NULL;
}

bool
snippet_is_known(struct str server)
{
	return find_server(server) != NULL;
}

bool
snippet_can_protect_all(struct str server)
{
	const struct server *s = find_server(server);

	return s != NULL && s->examples_from == 0;
}

bool
snippet_can_protect(struct str path)
{
	size_t i;

	for (i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];

		if (!(c >= 0x80 || (c >= '0' && c <= '9') ||
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			str_contains(STR("-._~+@,=/"), (char)c)))
			return false;
	}
	return path.n > 0 && path.n < SNIPPET_PATH_MAX - 1;
}

/* Without the slash at the end; "" for "/". */
static struct str
stem(struct str path)
{
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

/* ---- patterns
 * -------------------------------------------------------------------- */
static void
add_literally(struct buf *b, struct str text)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		bool special = text.p[i] == '.' || text.p[i] == '+';

		buf_addz(b, special ? "[" : "");
		buf_addc(b, text.p[i]);
		buf_addz(b, special ? "]" : "");
	}
}

/* "/a", or "(/a|/b)" for more. */
static void
add_any_of(struct buf *b, const struct snippet_names *names)
{
	size_t i;

	for (i = 0; i < names->n_protect; i++) {
		buf_addz(b, i > 0 ? "|" : names->n_protect > 1 ? "(" : "");
		add_literally(b, stem(names->protect[i]));
	}
	buf_addz(b, names->n_protect > 1 ? ")" : "");
}

static void
add_name(struct filling *f, struct str from, struct str to)
{
	if (f->n < NAMES_MAX)
		f->names_of_file[f->n++] = (struct replacement){ from, to };
}

/* The guarded paths, as each of the files writes them. */
static void
add_guarded(struct filling *f)
{
	struct str first = stem(f->names->protect[0]);
	struct buf guarded, urls, below;

	BUF_OVER(&guarded, f->guarded_text);
	BUF_OVER(&urls, f->urls_text);
	BUF_OVER(&below, f->below_text);
	if (f->everything) {
		/* doorkeep's own pages are no part of it. */
		buf_addz(&guarded, "^/(?!");
		add_literally(
		    &guarded, str_sub(f->names->mount, 1, f->names->mount.n));
		buf_addz(&guarded, "(/|$))");
		buf_addz(&urls, "\"^/\"");
		first = STR("/");
		buf_addc(&below, '/');
	} else {
		buf_addc(&guarded, '^');
		add_any_of(&guarded, f->names);
		buf_addz(&guarded, "(/|$)");
		buf_addz(&urls, "\"^");
		add_any_of(&urls, f->names);
		buf_addc(&urls, '"');
		buf_add(&below, first);
		buf_addc(&below, '/');
	}
	add_name(f, STR("^/private(/|$)"), buf_str(&guarded));
	add_name(f, STR("\"^/private\""), buf_str(&urls));
	add_name(f, STR("/private/"), buf_str(&below));
	add_name(f, STR("/private"), first);
}

/* A mount at the root is "" in a path and "/" where it stands alone. */
static void
add_mount(struct filling *f)
{
	struct str mount = f->names->mount;

	if (mount.n == 0) {
		add_name(f, STR("/auth/"), STR("/"));
		add_name(
		    f, STR("SCRIPT_NAME    /auth"), STR("SCRIPT_NAME    \"\""));
		mount = STR("/");
	}
	add_name(f, STR("/auth"), mount);
}

/* Longer names stand before those that they begin with. */
static void
fill(struct filling *f)
{
	add_name(f, STR("/usr/local/libexec/doorkeep/doorkeep.fcgi"),
	    f->names->program);
	add_name(f, STR("/usr/local/libexec/doorkeep"),
	    str_sub(f->names->program, 0,
		f->names->program.n - (sizeof("/doorkeep.fcgi") - 1)));
	add_name(
	    f, STR("/usr/local/share/doorkeep/"), STR(DK_DATADIR "/doorkeep/"));
	add_name(f, STR("include snippets/"),
	    STR("include " DK_DATADIR "/doorkeep/nginx/"));
	add_name(f, STR("/etc/doorkeep/doorkeep.conf"), f->names->config);
	add_guarded(f);
	add_mount(f);
}

/* ---- printing
 * -------------------------------------------------------------------- */
static void
print_replaced(const struct replacement *r, size_t n, struct str text)
{
	size_t i;

	while (text.n > 0) {
		for (i = 0; i < n; i++)
			if (str_starts(text, r[i].from))
				break;
		if (i < n) {
			(void)fwrite(r[i].to.p, 1, r[i].to.n, stdout);
			text = str_sub(text, r[i].from.n, text.n);
		} else {
			(void)fwrite(text.p, 1, 1, stdout);
			text = str_sub(text, 1, text.n);
		}
	}
}

/* The lines of the example without "#\t", with what its path becomes.  nginx
 * takes no location within one of a single page ("= "). */
static void
print_example(struct str example, struct str from, struct str path)
{
	const struct replacement r[] = { { from, path },
		{ STR("include snippets/"),
		    STR("include " DK_DATADIR "/doorkeep/nginx/") } };
	struct str line;

	while (str_cut(&example, '\n', &line) && line.n > 0) {
		if (str_starts(path, STR("= ")) &&
		    str_starts(line, STR("#\t\tlocation ")))
			continue;
		print_replaced(r, 2, str_sub(line, 2, line.n));
		(void)putchar('\n');
	}
}

static void
print_examples(const struct filling *f, struct str example)
{
	const struct snippet_names *names = f->names;
	char text[SNIPPET_PATH_MAX + 2];
	size_t i = f->server->examples_from;
	struct buf b;

	if (names->in_place && f->server->exact) {
		print_replaced(f->names_of_file, f->n, example);
		return;
	}
	if (f->everything && f->server->everything != NULL) {
		(void)fputs(f->server->everything, stdout);
		return;
	}
	if (f->everything || i >= names->n_protect) {
		print_replaced(f->names_of_file, f->n, example);
		return;
	}
	for (; i < names->n_protect; i++) {
		struct str path = names->protect[i];

		print_example(example, STR("/reports"), stem(path));
		if (!f->server->exact || path.p[path.n - 1] == '/')
			continue;
		BUF_OVER(&b, text);
		buf_addf(&b, "= %.*s", STR_FMT(path));
		print_example(example, STR("^~ /reports/"), buf_str(&b));
	}
}

/* "#\t" and "/reports": the first line of the example. */
static bool
begins_example(struct str line)
{
	size_t i;

	if (!str_starts(line, STR("#\t")))
		return false;
	for (i = 2; i < line.n; i++)
		if (str_starts(str_sub(line, i, line.n), STR("/reports")))
			return true;
	return false;
}

static void
print_text(const struct filling *f, struct str text)
{
	struct str line, rest = text;
	size_t from, to;

	while (rest.n > 0 && str_cut(&rest, '\n', &line)) {
		if (!begins_example(line)) {
			print_replaced(f->names_of_file, f->n, line);
			(void)putchar('\n');
			continue;
		}
		from = (size_t)(line.p - text.p);
		while (
		    str_starts(rest, STR("#\t")) && str_cut(&rest, '\n', &line))
			;
		to = (size_t)(line.p - text.p) + line.n + 1;
		print_examples(f, str_sub(text, from, to - from));
	}
}

/* Behind the first empty line. */
static struct str
without_head(struct str text)
{
	struct str line;

	while (str_cut(&text, '\n', &line) && line.n > 0)
		;
	return text;
}

static struct str
file_named(const char *name)
{
	const struct embedded *e = embedded_snippets;

	while (!str_eq(str_from(e->name), str_from(name)))
		e++;
	return (struct str){ e->text, e->len };
}

/*
 * Shared hosting: whole files below the document root, each under a line that
 * says which.
 */
static void
print_hosting(const struct snippet_names *names)
{
	const struct replacement r = { STR("/cgi-bin/doorkeep.fcgi"),
		names->mount };
	struct str dir = names->mount;
	size_t i;

	while (dir.n > 0 && dir.p[dir.n - 1] != '/')
		dir.n--;
	(void)printf("# ---- %.*s.htaccess\n", STR_FMT(str_sub(dir, 1, dir.n)));
	print_replaced(&r, 1, file_named("htaccess-cgi-bin"));
	for (i = 0; i < names->n_protect; i++) {
		dir = stem(names->protect[i]);
		(void)printf("\n# ---- %.*s%s.htaccess\n",
		    STR_FMT(str_sub(dir, 1, dir.n)), dir.n > 0 ? "/" : "");
		print_replaced(&r, 1, file_named("htaccess-handler"));
	}
}

void
snippet_print(struct str server, const struct snippet_names *names)
{
	static struct filling f;
	struct str text;
	size_t i;

	f.server = find_server(server);
	f.names = names;
	f.n = 0;
	f.everything = false;
	if (f.server == NULL)
		return;
	if (str_eq(server, STR("cgi"))) {
		print_hosting(names);
		return;
	}
	for (i = 0; i < names->n_protect; i++)
		if (stem(names->protect[i]).n == 0)
			f.everything = true;
	fill(&f);
	text = file_named(f.server->file);
	if (f.server->head != NULL) {
		print_replaced(f.names_of_file, f.n, str_from(f.server->head));
		(void)putchar('\n');
		text = without_head(text);
	}
	print_text(&f, text);
}
