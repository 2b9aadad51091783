#include "ctl/snippet.h"

#include <stdio.h>

#include "base/embed.h"

extern const struct embedded embedded_snippets[];

/* Which files make up the set-up of a server. */
static const struct {
	const char *server, *file;
} files[] = { { "apache", "mod_fcgid.conf" },
	{ "lighttpd", "doorkeep-spawned.conf" }, { "nginx", "doorkeep.conf" },
	{ "nginx", "doorkeep_params" }, { "nginx", "doorkeep_gate" },
	{ "nginx", "doorkeep_fastcgi" }, { "cgi", "cgi.conf" } };

enum { FILES = sizeof(files) / sizeof(files[0]), NAMES = 6 };

/* As they stand in the shipped files. */
struct replacement {
	struct str from, to;
};

bool
snippet_is_known(struct str server)
{
	size_t i;

	for (i = 0; i < FILES; i++)
		if (str_eq(str_from(files[i].server), server))
			return true;
	return false;
}

static void
print_replaced(struct str text, const struct replacement *r, size_t n)
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

static const struct embedded *
find_file(const char *name)
{
	const struct embedded *e = embedded_snippets;

	while (e->name != NULL && !str_eq(str_from(e->name), str_from(name)))
		e++;
	return e;
}

void
snippet_print(struct str server, const struct snippet_names *names)
{
	/* Longer names stand before those that they begin with. */
	const struct replacement r[NAMES] = {
		{ STR("/usr/local/libexec/doorkeep/doorkeep.fcgi"),
		    names->program },
		{ STR("/etc/doorkeep/doorkeep.conf"), names->config },
		{ STR("/auth"), names->mount },
		{ STR("/private"), names->protect },
		{ STR("/usr/local/libexec/doorkeep"),
		    str_sub(names->program, 0,
			names->program.n - (sizeof("/doorkeep.fcgi") - 1)) },
	};
	const struct embedded *e;
	size_t i;

	for (i = 0; i < FILES; i++) {
		if (!str_eq(str_from(files[i].server), server))
			continue;
		e = find_file(files[i].file);
		(void)printf("# ---- %s\n", files[i].file);
		print_replaced((struct str){ e->text, e->len }, r, NAMES - 1);
		(void)putchar('\n');
	}
}
