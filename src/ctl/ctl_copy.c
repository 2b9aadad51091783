/*
 * doorkeep db copy: a store into another, of either engine.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dsn.h"
#include "ctl/ctl.h"
#include "domain/key_file.h"
#include "store/copy.h"

enum {
	BAR_WIDTH = 30,
	BAR_EVERY_MS = 100,
	ADDRESS_MAX = 2048,
	JSON_MAX = 8192,
	DIGEST_SHOWN = 8 /* bytes, for people */
};

struct copying {
	struct ctl *ctl;
	struct copy copy;
	struct db *from, *to;
	bool bar; /* somebody watches */
	int64_t drawn_ms;
};

/* ---- progress ------------------------------------------------------------ */

static void
draw_bar(void *arg, const char *doing, int64_t done)
{
	struct copying *c = arg;
	int64_t now = clock_monotonic_ms(), rows = c->copy.rows;
	int filled, i;

	/* What is compared is read on both sides. */
	if (c->copy.tally[0].table != NULL)
		rows *= 2;
	if (!c->bar || rows < 1 || now - c->drawn_ms < BAR_EVERY_MS)
		return;
	c->drawn_ms = now;
	if (done > rows)
		done = rows;
	filled = (int)(done * BAR_WIDTH / rows);
	(void)fprintf(stderr, "\r%-16s [", doing);
	for (i = 0; i < BAR_WIDTH; i++)
		(void)fputc(i < filled ? '#' : '.', stderr);
	(void)fprintf(stderr, "] %3d %%  %lld of %lld rows ",
	    (int)(done * 100 / rows), (long long)done, (long long)rows);
	(void)fflush(stderr);
}

static void
wipe_bar(const struct copying *c)
{
	if (c->bar && c->drawn_ms != 0)
		(void)fprintf(stderr, "\r%79s\r", "");
}

/* ---- both sides ---------------------------------------------------------- */

static enum ctl_exit
open_side(struct copying *c, size_t side)
{
	const struct db_options options = { .database = c->ctl->operand[side],
		.create = side == 1,
		.migrate = side == 1,
		.patient = true,
		.copying = side == 1,
		.log = &c->ctl->log };
	char text[CTL_MESSAGE_MAX];
	struct buf message;

	BUF_OVER(&message, text);
	if (dsn_has_password(options.database))
		return ctl_misuse(c->ctl,
		    "everybody on this machine can read a password in an "
		    "argument; write it into a file of mode 0600 and name "
		    "that: postgresql://USER@HOST/NAME?passfile=FILE");
	if (db_open(side == 0 ? &c->from : &c->to, &options, &message) != DK_OK)
		return ctl_fail("%s", buf_z(&message));
	return CTL_DONE;
}

/* The file of the key that belongs to a store. */
static const char *
key_name(const struct ctl *ctl, size_t side, struct buf *name)
{
	struct conf conf = ctl->conf;

	conf.database = ctl->operand[side];
	domain_own_file(&conf, "-key", name);
	return buf_z(name);
}

/* The seeds of second factors can be read with this key alone. */
static enum ctl_exit
copy_key(struct ctl *ctl)
{
	char from_text[CTL_PATH_MAX], to_text[CTL_PATH_MAX];
	const char *from, *to, *beside;
	struct secret key, there;
	struct buf from_name, to_name;
	enum ctl_exit e = CTL_DONE;
	bool found, taken = false;

	BUF_OVER(&from_name, from_text);
	BUF_OVER(&to_name, to_text);
	from = key_name(ctl, 0, &from_name);
	to = key_name(ctl, 1, &to_name);
	beside = dsn_is(ctl->operand[1]) ? ctl->conf.store_directory.p
					 : ctl->operand[1].p;
	if (key_file_read(from, &key, &found) != DK_OK)
		return ctl_fail("%s: cannot be read; run this as root or as "
				"the user that the file belongs to",
		    from);
	if (found && key_file_read(to, &there, &taken) != DK_OK)
		e = ctl_fail("%s: cannot be read", to);
	else if (found && taken && !secret_eq(&key, &there))
		e = ctl_fail("%s: is the key of other second factors; the "
			     "copy needs that of %s in its place",
		    to, from);
	else if (found && !taken && key_file_make(to, beside, &key) != DK_OK)
		e = ctl_fail("%s: cannot be made; its directory, which [store] "
			     "directory names, must exist and be writable for "
			     "this user",
		    to);
	secret_wipe(&key, sizeof(key));
	secret_wipe(&there, sizeof(there));
	return e;
}

/* ---- what came of it ----------------------------------------------------- */

static enum ctl_exit
put_json(const struct copying *c, bool same)
{
	char text[JSON_MAX], hex[2 * DIGEST_LEN + 1];
	struct buf out, b;
	struct jw w;
	size_t i;

	BUF_OVER(&out, text);
	jw_open(&w, &out);
	jw_object(&w, NULL);
	jw_bool(&w, "same", same);
	jw_array(&w, "tables");
	for (i = 0; i < COPY_TABLES; i++) {
		const struct copy_tally *t = &c->copy.tally[i];

		BUF_OVER(&b, hex);
		buf_add_hex(&b, t->digest[1].byte, DIGEST_LEN);
		jw_object(&w, NULL);
		jw_str(&w, "table", str_from(t->table));
		jw_int(&w, "rows", t->rows[1]);
		jw_str(&w, "sha256", buf_str(&b));
		jw_bool(&w, "same",
		    t->rows[0] == t->rows[1] &&
			digest_eq(&t->digest[0], &t->digest[1]));
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	return ctl_put_json(&out);
}

static void
put_table(const struct copying *c)
{
	char hex[2 * DIGEST_LEN + 1];
	struct buf b;
	size_t i;

	ctl_say("%-16s %10s  SHA-256", "table", "rows");
	for (i = 0; i < COPY_TABLES; i++) {
		const struct copy_tally *t = &c->copy.tally[i];
		bool same = t->rows[0] == t->rows[1] &&
		    digest_eq(&t->digest[0], &t->digest[1]);

		BUF_OVER(&b, hex);
		buf_add_hex(&b, t->digest[1].byte, DIGEST_SHOWN);
		ctl_say("%-16s %10lld  %s…%s", t->table,
		    (long long)t->rows[1], buf_z(&b),
		    same ? "" : "  differs");
	}
}

static enum ctl_exit
report(const struct copying *c, bool same)
{
	char text[ADDRESS_MAX];
	struct buf b;

	if (c->ctl->json) {
		if (put_json(c, same) != CTL_DONE)
			return CTL_FAILED;
	} else {
		put_table(c);
	}
	if (!same)
		return ctl_fail("the store was written to while it was copied; "
				"stop the workers and run the same command "
				"again: only what differs is copied then");
	BUF_OVER(&b, text);
	dsn_show(&b, c->ctl->operand[1]);
	if (!c->ctl->json)
		ctl_say("Every row is the same on both sides. Now give "
			"[store] database this value, and start the workers "
			"again:\n%s",
		    buf_z(&b));
	return CTL_DONE;
}

static enum ctl_exit
explain(struct copying *c, enum dk_err err, const struct buf *message)
{
	char text[ADDRESS_MAX];
	struct buf b;

	BUF_OVER(&b, text);
	dsn_show(&b, c->ctl->operand[1]);
	if (err == DK_ERR_DENIED)
		return ctl_fail("%s: is in use: it holds people, sessions or "
				"events. A copy needs a new file, or an empty "
				"database (createdb). Nothing was changed",
		    buf_z(&b));
	if (message->len == 0)
		return ctl_fail_err(err, "the store could not be copied");
	return ctl_fail("the copy is not complete: %s. Run the same command "
			"again: it goes on where it was",
	    buf_z(message));
}

static enum ctl_exit
copy(struct copying *c)
{
	char text[CTL_MESSAGE_MAX];
	struct buf message;
	bool same = false;
	enum dk_err err;

	BUF_OVER(&message, text);
	err = copy_begin(&c->copy);
	if (err == DK_OK && copy_key(c->ctl) != CTL_DONE)
		return CTL_FAILED;
	if (err == DK_OK)
		err = copy_rows(&c->copy, &message);
	if (err == DK_OK)
		err = copy_verify(&c->copy, &same, &message);
	wipe_bar(c);
	return err == DK_OK ? report(c, same) : explain(c, err, &message);
}

enum ctl_exit
ctl_db_copy(struct ctl *ctl)
{
	struct copying c = { .ctl = ctl };
	enum ctl_exit e;

	if (str_eq(ctl->operand[0], ctl->operand[1]))
		return ctl_misuse(ctl, "FROM and TO are the same store");
	e = open_side(&c, 0);
	if (e == CTL_DONE)
		e = open_side(&c, 1);
	if (e == CTL_DONE && copy_open(&c.copy, c.from, c.to) != DK_OK)
		e = ctl_fail("out of memory");
	if (e == CTL_DONE) {
		c.bar = isatty(STDERR_FILENO) == 1;
		c.copy.progress = draw_bar;
		c.copy.arg = &c;
		e = copy(&c);
		copy_close(&c.copy);
	}
	db_close(c.from);
	db_close(c.to);
	return e;
}
