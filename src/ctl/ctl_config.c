/*
 * doorkeep config …, doorkeep version
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dsn.h"
#include "ctl/ctl.h"
#include "web/web.h"

enum { VALUE_MAX = 8 * 1024, PRIVATE_MODE_MASK = 0027 };

/* ---- show -------------------------------------------------------------------
 */
struct shower {
	struct ctl *ctl;
	const char *section;
	bool first;
	enum ctl_exit e;
};

static void
show_json(struct shower *s, const struct conf_item *item)
{
	char text[VALUE_MAX];
	struct buf b;
	struct jw w;

	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_str(&w, "section", str_from(item->section));
	jw_str(&w, "key", str_from(item->key));
	jw_str(&w, "value", item->value);
	if (item->line > 0)
		jw_int(&w, "line", item->line);
	else
		jw_null(&w, "line");
	jw_end(&w);
	(void)fputs(s->first ? "" : ",", stdout);
	s->first = false;
	if (s->e == CTL_DONE)
		s->e = ctl_put_json(&b);
}

/* It can be read in again: where a value comes from is a comment. */
static void
show_item(void *arg, const struct conf_item *item)
{
	struct shower *s = arg;

	if (s->ctl->json) {
		show_json(s, item);
		return;
	}
	if (s->section == NULL || strcmp(s->section, item->section) != 0)
		ctl_say(
		    "%s[%s]", s->section == NULL ? "" : "\n", item->section);
	s->section = item->section;
	if (item->line > 0)
		ctl_say("# %s:%u", buf_z(&s->ctl->config_file), item->line);
	else
		ctl_say("# default%s", item->value.n == 0 ? ": not set" : "");
	if (item->line == 0 && item->value.n == 0)
		(void)printf("#");
	(void)printf("%s = ", item->key);
	ctl_put(item->value);
	(void)putchar('\n');
}

static void
show_rules(struct ctl *ctl)
{
	size_t i;

	ctl_say("\n[access]");
	for (i = 0; i < ctl->conf.n_rules; i++) {
		ctl_say("# %s:%u", buf_z(&ctl->config_file),
		    ctl->conf.rules[i].line);
		ctl_put(ctl->conf.rules[i].text);
		(void)putchar('\n');
	}
	ctl_say("# what no line matches is denied");
}

static void
show_rules_json(struct ctl *ctl, struct shower *s)
{
	size_t i;

	for (i = 0; i < ctl->conf.n_rules; i++) {
		const struct conf_rule *rule = &ctl->conf.rules[i];
		struct conf_item item = { .section = "access",
			.key = "",
			.value = rule->text,
			.line = rule->line };

		show_json(s, &item);
	}
}

/* One file of the pages: the site's own, or built in. */
static void
show_file(struct shower *s, const char *name, struct str file)
{
	const struct conf_item item = { .section = "pages",
		.key = name,
		.value = str_is_none(file) ? STR("(built in)") : file };

	if (s->ctl->json) {
		show_json(s, &item);
		return;
	}
	(void)printf("# %s: ", name);
	ctl_put(item.value);
	(void)putchar('\n');
}

/* Which templates, stylesheet and languages are in force. */
static void
show_pages(struct shower *s)
{
	struct ctl *ctl = s->ctl;
	char text[1024], codes[512];
	struct buf message, languages;
	struct web web;
	enum dk_err err;
	size_t i;

	BUF_OVER(&message, text);
	BUF_OVER(&languages, codes);
	err = web_open(&web, &ctl->conf, &ctl->dom, &ctl->log, &message);
	if (!ctl->json)
		ctl_say("\n# The pages in force");
	if (err != DK_OK)
		s->e = ctl_fail("%s", buf_z(&message));
	for (i = 0; err == DK_OK && i < web.templates.n; i++)
		show_file(s, web.templates.item[i].name,
		    web.templates.item[i].file);
	for (i = 0; err == DK_OK && i < web.words.n; i++)
		buf_addf(&languages, "%s%s", i > 0 ? " " : "",
		    web.words.item[i]->code);
	if (err == DK_OK) {
		show_file(s, "style.css", ctl->conf.stylesheet);
		show_file(s, "languages", buf_str(&languages));
	}
	web_close(&web);
}

enum ctl_exit
ctl_config_show(struct ctl *ctl)
{
	struct shower s = { .ctl = ctl, .first = true };

	if (ctl->json)
		ctl_say("[");
	conf_each(&ctl->conf, show_item, &s);
	if (ctl->json) {
		show_rules_json(ctl, &s);
	} else {
		show_rules(ctl);
	}
	show_pages(&s);
	if (ctl->json)
		ctl_say("]");
	return s.e;
}

/* ---- check
 * --------------------------------------------------------------------- */
/* A secret stands in it, so others must not read it (DK-G-10). */
static enum ctl_exit
check_private(struct ctl *ctl)
{
	struct stat st;

	if (stat(buf_z(&ctl->config_file), &st) != 0)
		return ctl_fail(
		    "%s: cannot be looked at", buf_z(&ctl->config_file));
	if ((st.st_mode & S_IWOTH) != 0)
		return ctl_fail("%s: everybody may change it (mode %04o); run: "
				"chmod 0640 %s",
		    buf_z(&ctl->config_file), (unsigned)(st.st_mode & 07777),
		    buf_z(&ctl->config_file));
	if ((ctl->conf.shared_secret.n > 0 ||
		dsn_has_password(ctl->conf.database)) &&
	    (st.st_mode & PRIVATE_MODE_MASK) != 0)
		return ctl_fail("%s: holds a secret, and others can get "
				"at it (mode %04o); run: chmod 0640 %s",
		    buf_z(&ctl->config_file), (unsigned)(st.st_mode & 07777),
		    buf_z(&ctl->config_file));
	return CTL_DONE;
}

static enum ctl_exit
check_readable(struct str path, const char *key)
{
	char text[CTL_PATH_MAX];
	struct buf b;

	if (str_is_none(path))
		return CTL_DONE;
	BUF_OVER(&b, text);
	buf_add(&b, path);
	if (!buf_ok(&b) || access(buf_z(&b), R_OK) != 0)
		return ctl_fail("%s = %.*s: there is no such file, or this "
				"user cannot read it",
		    key, STR_FMT(path));
	return CTL_DONE;
}

/* The files of the site's own, read and checked as a worker does it. */
static enum ctl_exit
check_pages(struct ctl *ctl)
{
	char text[1024];
	struct buf message;
	struct web web;
	enum dk_err err;

	BUF_OVER(&message, text);
	err = web_open(&web, &ctl->conf, &ctl->dom, &ctl->log, &message);
	web_close(&web);
	return err == DK_OK ? CTL_DONE : ctl_fail("%s", buf_z(&message));
}

enum ctl_exit
ctl_config_check(struct ctl *ctl)
{
	enum ctl_exit e = check_private(ctl);

	if (e == CTL_DONE)
		e = check_pages(ctl);
	if (e == CTL_DONE)
		e = check_readable(ctl->conf.password_blocklist,
		    "[security] password_blocklist");
	if (e == CTL_DONE)
		e = ctl_open_store(ctl, false, false);
	if (e != CTL_DONE)
		return e;
	if (ctl->json)
		ctl_say("{\"good\":true}");
	else
		ctl_say("%s is good, and the store answers.",
		    buf_z(&ctl->config_file));
	return CTL_DONE;
}

enum ctl_exit
ctl_version(struct ctl *ctl)
{
	ctl_say(ctl->json ? "{\"version\":\"%s\"}" : "doorkeep %s",
	    PACKAGE_VERSION);
	return CTL_DONE;
}
