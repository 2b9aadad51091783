/*
 * doorkeep doctor: is everything as it should be?  First what lies on this
 * machine, then, with a URL, the running site.  Each finding names the line
 * to change.
 */
#include <stdio.h>

#include "ctl/doctor.h"
#include "domain/checkup.h"

enum { JSON_MAX = 4 * 1024 };

static void
finding_json(struct doctor *d, bool good, const char *what, const char *cure)
{
	char text[JSON_MAX];
	struct buf b;
	struct jw w;

	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_bool(&w, "good", good);
	jw_str(&w, "check", str_from(what));
	if (good)
		jw_null(&w, "cure");
	else
		jw_str(&w, "cure", str_from(cure));
	jw_end(&w);
	(void)fputs(d->first ? "" : ",", stdout);
	d->first = false;
	(void)ctl_put_json(&b);
}

void
doctor_finding(struct doctor *d, bool good, const char *what, const char *cure)
{
	d->failed += !good;
	if (d->ctl->json) {
		finding_json(d, good, what, cure);
		return;
	}
	(void)printf("%s  %s\n", good ? "ok  " : "FAIL", what);
	if (!good) {
		(void)printf("      ");
		ctl_put(str_from(cure));
		(void)putchar('\n');
	}
}

struct place {
	const char *section, *key;
	unsigned line;
};

static void
find_line(void *arg, const struct conf_item *item)
{
	struct place *place = arg;

	if (str_eq(str_from(item->section), str_from(place->section)) &&
	    str_eq(str_from(item->key), str_from(place->key)))
		place->line = item->line;
}

void
doctor_finding_key(struct doctor *d, bool good, const char *what,
    const char *section, const char *key, const char *cure)
{
	struct place place = { section, key, 0 };
	char text[CTL_MESSAGE_MAX];
	struct buf b;

	conf_each(&d->ctl->conf, find_line, &place);
	BUF_OVER(&b, text);
	buf_addz(&b, buf_z(&d->ctl->config_file));
	if (place.line > 0)
		buf_addf(&b, ":%u", place.line);
	buf_addf(&b, ": [%s] %s: %s", section, key, cure);
	doctor_finding(d, good, what, buf_z(&b));
}

static void
take_finding(void *arg, const struct finding *f)
{
	doctor_finding(arg, f->good, f->what, f->cure);
}

/* Which server it is; a file has been named by now or is well. */
static void
show_server(struct doctor *d)
{
	char text[CHECKUP_PLACE_MAX + 96];
	struct checkup_versions versions;
	struct buf b;

	checkup_versions(&d->ctl->dom, &versions);
	if (versions.place[0] == '\0')
		return;
	BUF_OVER(&b, text);
	buf_addf(&b, "the store is %s at %s", versions.engine, versions.place);
	doctor_finding(d, true, buf_z(&b), "");
}

static enum ctl_exit
check_machine(struct doctor *d)
{
	char text[CTL_MESSAGE_MAX];
	struct buf message;
	enum dk_err err;

	BUF_OVER(&message, text);
	err = domain_open(&d->ctl->dom, false, false, &message);
	doctor_finding(d, err == DK_OK, "the store opens", buf_z(&message));
	if (err == DK_OK)
		show_server(d);
	if (err == DK_OK)
		checkup_store(&d->ctl->dom, take_finding, d);
	checkup(&d->ctl->dom, d->ctl->now_ms, take_finding, d);
	return err == DK_OK ? CTL_DONE : CTL_FAILED;
}

enum ctl_exit
ctl_doctor(struct ctl *ctl)
{
	static struct doctor d;
	enum ctl_exit e;

	d.ctl = ctl;
	d.first = true;
	if (ctl->json)
		ctl_say("[");
	e = check_machine(&d);
	if (e == CTL_DONE && ctl->n_operands > 0)
		e = doctor_site(&d);
	if (ctl->json)
		ctl_say("]");
	else if (e == CTL_DONE && d.failed == 0)
		ctl_say("All is well.");
	else if (d.failed > 0)
		ctl_say("%u to mend.", d.failed);
	return e == CTL_DONE && d.failed > 0 ? CTL_FAILED : e;
}
