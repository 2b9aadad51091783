/*
 * doorkeep user import: htpasswd files and JSON lines.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "ctl/ctl.h"
#include "domain/import.h"
#include "http/json.h"

enum { LINE_MAX_LEN = 16 * 1024, ARENA_SIZE = 64 * 1024, JSON_MAX = 4096 };

struct importer {
	struct ctl *ctl;
	struct arena arena; /* of one line */
	struct str groups[USER_GROUPS_MAX];
	unsigned line, added, replaced, refused, weak;
	bool first;
	enum ctl_exit e;
};

static const char *const result_texts[] = { [IMPORT_ADDED] = "added",
	[IMPORT_REPLACED] = "replaced",
	[IMPORT_EXISTS] = "is there already and stays as it is (--replace)",
	[IMPORT_BAD_NAME] = "is no user name: 1 to 64 of a-z A-Z 0-9 . _ @ + -",
	/* static(tidy): one sentence on several lines */
	[IMPORT_BAD_HASH] = "the hash is of no kind that is taken: bcrypt, "
			    "$5$, $6$, $y$, $7$, argon2; $apr1$, {SHA} and "
			    "$1$ with a warning; never DES, NT or plain text",
	[IMPORT_TOO_COSTLY] = "the hash would cost too much to try",
	[IMPORT_BAD_FIELD] = "display_name, email or a group is malformed" };

const char *
ctl_import_says(enum import_result result)
{
	return result_texts[result];
}

/* ---- what a line says ------------------------------------------------------
 */
static const char *
read_json(struct importer *im, struct str line, struct import *in)
{
	struct json_member m[] = {
		{ .name = "username", .type = JSON_STRING_MEMBER, .max = 255 },
		{ .name = "password_hash",
		    .type = JSON_STRING_MEMBER,
		    .max = 1024 },
		{ .name = "display_name",
		    .type = JSON_STRING_MEMBER,
		    .max = 1024 },
		{ .name = "email", .type = JSON_STRING_MEMBER, .max = 1024 },
		{ .name = "groups",
		    .type = JSON_LIST_MEMBER,
		    .max = 255,
		    .list = im->groups,
		    .list_max = USER_GROUPS_MAX },
		{ .name = "disabled", .type = JSON_BOOL_MEMBER }
	};
	const char *problem;

	if (json_read(line, m, sizeof(m) / sizeof(m[0]), &im->arena,
		&problem) != DK_OK)
		return problem == NULL ? "the line does not fit into memory"
				       : problem;
	if (m[0].text.n == 0)
		return "username is missing";
	*in = (struct import){ .name = m[0].text,
		.hash = m[1].text,
		.display_name = m[2].text,
		.email = m[3].text,
		.groups = im->groups,
		.n_groups = m[4].n_list,
		.disabled = m[5].flag };
	return NULL;
}

/* NULL, or what is wrong with the line. */
static const char *
read_line(struct importer *im, struct str line, struct import *in)
{
	*in = (struct import){ 0 };
	if (str_starts(line, STR("{")))
		return read_json(im, line, in);
	if (!str_split(line, ':', &in->name, &in->hash) || in->hash.n == 0)
		return "is neither name:hash nor a JSON object";
	return NULL;
}

/* ---- what became of it
 * ---------------------------------------------------------- */
static void
report_json(struct importer *im, struct str name, const char *outcome,
    const char *scheme, bool weak)
{
	char text[JSON_MAX];
	struct buf b;
	struct jw w;

	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_int(&w, "line", im->line);
	jw_str(&w, "username", name);
	jw_str(&w, "outcome", str_from(outcome));
	jw_str(&w, "scheme", str_from(scheme));
	jw_bool(&w, "weak", weak);
	jw_end(&w);
	(void)fputs(im->first ? "" : ",", stdout);
	im->first = false;
	if (im->e == CTL_DONE)
		im->e = ctl_put_json(&b);
}

static void
report(struct importer *im, struct str name, const char *outcome,
    const char *scheme, bool weak)
{
	if (im->ctl->json) {
		report_json(im, name, outcome, scheme, weak);
		return;
	}
	(void)printf("%u: ", im->line);
	ctl_put(str_sub(name, 0, 80));
	(void)printf("%s%s", name.n > 0 ? ": " : "", outcome);
	if (scheme != NULL)
		(void)printf(" (%s%s)", scheme,
		    weak ? ", weak: until the first sign-in" : "");
	(void)putchar('\n');
}

static void
take_line(struct importer *im, struct str line)
{
	struct ctl *ctl = im->ctl;
	enum import_result result;
	const char *problem, *scheme = NULL;
	struct import in;
	bool weak = false, good;
	enum dk_err err;

	problem = read_line(im, line, &in);
	if (problem != NULL) {
		im->refused++;
		report(im, STR(""), problem, NULL, false);
		return;
	}
	err = import_account(&ctl->dom, &ctl->asker, &in,
	    ctl_has(ctl, "replace"), ctl->now_ms, &result, &weak, &scheme);
	if (err != DK_OK) {
		im->refused++;
		im->e = ctl_fail_err(err, "the import stops here");
		return;
	}
	good = result == IMPORT_ADDED || result == IMPORT_REPLACED;
	im->added += result == IMPORT_ADDED;
	im->replaced += result == IMPORT_REPLACED;
	im->refused += !good;
	im->weak += good && weak;
	report(im, in.name, result_texts[result], good ? scheme : NULL, weak);
}

/* ---- the file
 * ------------------------------------------------------------------------ */
/* Behind the terminator everything is still as it was filled. */
static bool
has_nul(const char line[LINE_MAX_LEN], size_t len)
{
	size_t i;

	for (i = len + 1; i < LINE_MAX_LEN; i++)
		if (line[i] != '\n')
			return true;
	return false;
}

static void
read_file(struct importer *im, FILE *f)
{
	static char line[LINE_MAX_LEN];
	struct str s;

	for (;;) {
		memset(line, '\n', sizeof(line));
		if (im->e != CTL_DONE || fgets(line, sizeof(line), f) == NULL)
			break;
		im->line++;
		s = str_from(line);
		if (has_nul(line, s.n)) {
			im->e = ctl_fail("line %u holds a NUL; the import "
					 "stops there",
			    im->line);
			break;
		}
		if (s.n == sizeof(line) - 1 && s.p[s.n - 1] != '\n') {
			im->e = ctl_fail("line %u is longer than %d bytes; "
					 "the import stops there",
			    im->line, LINE_MAX_LEN);
			break;
		}
		while (
		    s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
			s.n--;
		if (str_trim(s).n > 0 && s.p[0] != '#')
			take_line(im, s);
		arena_reset(&im->arena);
	}
	secret_wipe(line, sizeof(line));
}

static enum ctl_exit
finish(struct importer *im)
{
	if (im->ctl->json)
		ctl_say("]");
	else
		ctl_say("%u added, %u replaced, %u refused%s", im->added,
		    im->replaced, im->refused,
		    im->weak > 0 ? "; weak hashes are replaced at the first "
				   "sign-in"
				 : "");
	return im->e != CTL_DONE || im->refused > 0 ? CTL_FAILED : CTL_DONE;
}

enum ctl_exit
ctl_user_import(struct ctl *ctl)
{
	struct importer im = { .ctl = ctl, .first = true };
	char path[CTL_PATH_MAX];
	enum ctl_exit e;
	struct buf b;
	FILE *f = stdin;

	BUF_OVER(&b, path);
	buf_add(&b, ctl->operand[0]);
	if (!str_eq(ctl->operand[0], STR("-")))
		f = buf_ok(&b) ? fopen(path, "re") : NULL;
	if (f == NULL)
		return ctl_fail("%s: %s", path, strerror(errno));
	if (arena_open(&im.arena, ARENA_SIZE) == DK_OK) {
		if (ctl->json)
			ctl_say("[");
		read_file(&im, f);
		e = finish(&im);
		arena_close(&im.arena);
	} else {
		e = ctl_fail("out of memory");
	}
	if (f != stdin)
		(void)fclose(f);
	return e;
}
