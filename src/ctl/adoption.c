#include "ctl/adoption.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "domain/import.h"

enum { ARENA_SIZE = 64 * 1024 * 1024, FILE_SIZE_MAX = 16 * 1024 * 1024 };

/* ---- reading
 * --------------------------------------------------------------------- */
static enum ctl_exit
read_file(struct arena *arena, struct str name, struct str *text)
{
	char path[CTL_PATH_MAX], *p = NULL;
	struct stat st;
	struct buf b;
	FILE *f = NULL;
	size_t n = 0;

	*text = STR_NONE;
	BUF_OVER(&b, path);
	buf_add(&b, name);
	f = buf_ok(&b) ? fopen(path, "re") : NULL;
	if (f == NULL || fstat(fileno(f), &st) != 0) {
		(void)ctl_fail("%.*s: %s", STR_FMT(name), strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX) {
		(void)ctl_fail("%.*s: is no file of at most %d MiB",
		    STR_FMT(name), FILE_SIZE_MAX / 1024 / 1024);
		goto out;
	}
	p = arena_alloc(arena, (size_t)st.st_size + 1);
	if (p == NULL) {
		(void)ctl_fail("%.*s: out of memory", STR_FMT(name));
		goto out;
	}
	n = fread(p, 1, (size_t)st.st_size, f);
	if (ferror(f))
		(void)ctl_fail("%.*s: cannot be read", STR_FMT(name));
	else
		*text = (struct str){ p, n };
out:
	if (f != NULL)
		(void)fclose(f);
	return str_is_none(*text) ? CTL_FAILED : CTL_DONE;
}

/* Of a .htaccess, the directory that it lies in. */
static enum ctl_exit
find_directory(struct arena *arena, struct str file, struct str *directory)
{
	char path[CTL_PATH_MAX], whole[PATH_MAX];
	struct buf b;

	*directory = STR_NONE;
	if (!str_ends(file, STR(".htaccess")))
		return CTL_DONE;
	BUF_OVER(&b, path);
	buf_add(&b, file);
	if (!buf_ok(&b) || realpath(path, whole) == NULL)
		return ctl_fail("%.*s: %s", STR_FMT(file), strerror(errno));
	*directory = arena_dup(arena,
	    str_sub(str_from(whole), 0,
		strlen(whole) - (sizeof("/.htaccess") - 1)));
	return str_is_none(*directory) ? ctl_fail("out of memory") : CTL_DONE;
}

enum ctl_exit
adoption_open(struct adoption *ad, struct str file, struct str document_root)
{
	char text[CTL_MESSAGE_MAX];
	struct str directory;
	struct buf message;
	enum ctl_exit e;

	BUF_OVER(&message, text);
	if (arena_open(&ad->arena, ARENA_SIZE) != DK_OK)
		return ctl_fail("out of memory");
	e = read_file(&ad->arena, file, &ad->config);
	if (e == CTL_DONE)
		e = find_directory(&ad->arena, file, &directory);
	if (e == CTL_DONE &&
	    adopt_read(&ad->adopt, file, ad->config, document_root, directory,
		&message) != DK_OK)
		e = ctl_fail("nothing is written: %s", buf_z(&message));
	if (e == CTL_DONE)
		e = read_file(&ad->arena, ad->adopt.users_file, &ad->users);
	if (e == CTL_DONE && !str_is_none(ad->adopt.groups_file))
		e = read_file(&ad->arena, ad->adopt.groups_file, &ad->groups);
	return e;
}

void
adoption_close(struct adoption *ad)
{
	arena_close(&ad->arena);
}

/* ---- rules
 * ----------------------------------------------------------------------- */
void
adoption_add_rules(const struct adoption *ad, struct buf *out)
{
	size_t i;

	for (i = 0; i < ad->adopt.n_areas; i++) {
		buf_add(out, ad->adopt.areas[i].path);
		buf_addz(out, " = ");
		adopt_add_requirement(&ad->adopt.areas[i], out);
		buf_addc(out, '\n');
	}
}

size_t
adoption_paths(const struct adoption *ad, struct str *paths, size_t max)
{
	const struct adopt_area *area = ad->adopt.areas;
	size_t i, n = 0;

	for (i = 0; i < ad->adopt.n_areas && n < max; i++, area++)
		if (area->any || area->n_names > 0)
			paths[n++] = area->path;
	return n;
}

/* ---- people
 * ---------------------------------------------------------------------- */
/* The groups of a line "group: name name ..." that hold the name. */
static size_t
find_groups(struct str text, struct str name, struct str *groups, size_t max)
{
	struct str line, group, names, one;
	size_t n = 0;
	bool in;

	while (str_cut(&text, '\n', &line)) {
		if (str_ends(line, STR("\r")))
			line.n--;
		if (str_starts(line, STR("#")) ||
		    !str_split(line, ':', &group, &names))
			continue;
		in = false;
		while (str_cut(&names, ' ', &one))
			in = in || str_eq(str_trim(one), name);
		if (in && n < max)
			groups[n++] = str_trim(group);
	}
	return n;
}

static enum ctl_exit
import_line(
    struct adoption *ad, struct ctl *ctl, unsigned number, struct str line)
{
	struct str groups[USER_GROUPS_MAX];
	struct import in = { .groups = groups };
	enum import_result result = IMPORT_BAD_NAME;
	const char *scheme = NULL, *why = "is not name:hash";
	bool weak = false;
	enum dk_err err;

	if (str_split(line, ':', &in.name, &in.hash) && in.hash.n > 0) {
		in.n_groups =
		    find_groups(ad->groups, in.name, groups, USER_GROUPS_MAX);
		err = import_account(&ctl->dom, &ctl->asker, &in, false,
		    ctl->now_ms, &result, &weak, &scheme);
		if (err != DK_OK)
			return ctl_fail_err(err, "the people do not move in");
		why = ctl_import_says(result);
	} else {
		in.name = STR("");
	}
	if (result == IMPORT_ADDED) {
		ad->added++;
		ad->weak += weak;
		return CTL_DONE;
	}
	ad->refused++;
	if (!ctl->json) {
		(void)printf(
		    "# %.*s:%u: ", STR_FMT(ad->adopt.users_file), number);
		ctl_put(str_sub(in.name, 0, 80));
		ctl_say("%s%s", in.name.n > 0 ? ": " : "", why);
	}
	return CTL_DONE;
}

enum ctl_exit
adoption_import(struct adoption *ad, struct ctl *ctl)
{
	struct str rest = ad->users, line;
	enum ctl_exit e = CTL_DONE;
	unsigned number = 0;

	while (e == CTL_DONE && str_cut(&rest, '\n', &line)) {
		number++;
		if (str_ends(line, STR("\r")))
			line.n--;
		if (str_trim(line).n > 0 && line.p[0] != '#')
			e = import_line(ad, ctl, number, line);
	}
	return e;
}

/* ---- what to replace
 * ---------------------------------------------------------------- */
/* The n-th line of the configuration, from 1. */
static struct str
line_of(const struct adoption *ad, unsigned n)
{
	struct str rest = ad->config, line = STR("");

	while (n > 0 && str_cut(&rest, '\n', &line))
		n--;
	return str_trim(line);
}

static void
say_lines(const struct adoption *ad)
{
	const struct adopt *a = &ad->adopt;
	unsigned n;
	size_t i;

	for (i = 0; i < a->n_spans; i++)
		for (n = a->spans[i].from; n <= a->spans[i].to; n++) {
			(void)printf("#   %u: ", n);
			ctl_put(line_of(ad, n));
			ctl_say("%s",
			    a->server == ADOPT_NGINX && a->spans[i].guards
				? "\n#      and put in its place: "
				  "include " DK_DATADIR
				  "/doorkeep/nginx/doorkeep_gate;"
				: "");
		}
}

void
adoption_say(const struct adoption *ad)
{
	struct str file = ad->adopt.file;

	ctl_say("# People:  %u moved in with their passwords, %u did not",
	    ad->added, ad->refused);
	if (ad->weak > 0)
		ctl_say("#          weak hashes among theirs: %u; each is "
			"replaced at the first sign-in",
		    ad->weak);
	ctl_say("#\n# Take these lines out of %.*s:", STR_FMT(file));
	say_lines(ad);
	ctl_say("# and put in what stands below.  Then look whether it holds: "
		"doorkeep doctor URL");
	if (ad->adopt.server == ADOPT_NGINX)
		ctl_say(
		    "#\n# Where PHP or another FastCGI program lies in such a "
		    "location, put\n#   include " DK_DATADIR
		    "/doorkeep/nginx/doorkeep_fastcgi;\n# in place of "
		    "fastcgi_params: that names whoever a client says it "
		    "is.");
	ctl_say("#\n# To go back: take the new lines out and put the old ones "
		"in.  Nothing has been\n# changed in %.*s\n# and %.*s.",
	    STR_FMT(file), STR_FMT(ad->adopt.users_file));
	ctl_say("# A password that is changed in doorkeep meanwhile is not "
		"changed there.\n#");
}

void
adoption_add_json(const struct adoption *ad, struct jw *w)
{
	const struct adopt *a = &ad->adopt;
	unsigned n;
	size_t i;

	jw_str(w, "adopted", a->file);
	jw_str(w, "server", str_from(adopt_server_name(a->server)));
	jw_int(w, "people_added", ad->added);
	jw_int(w, "people_refused", ad->refused);
	jw_int(w, "weak_hashes", ad->weak);
	jw_array(w, "replace");
	for (i = 0; i < a->n_spans; i++)
		for (n = a->spans[i].from; n <= a->spans[i].to; n++) {
			jw_object(w, NULL);
			jw_int(w, "line", n);
			jw_str(w, "text", line_of(ad, n));
			jw_end(w);
		}
	jw_end(w);
}
