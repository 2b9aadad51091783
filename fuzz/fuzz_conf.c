/*
 * The configuration.  What is refused is refused with a place and a reason;
 * what is accepted lies within the bounds of the table, reads the same with
 * other line ends, and reads the same again after it was printed.  In too
 * little memory the answer is "no memory", never another one.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_table.h"

#define FILE_NAME STR("f.conf")

enum {
	ARENA_SIZE = 1024 * 1024,
	INPUT_MAX = 64 * 1024,
	PRINTED_MAX = 128 * 1024,
	MESSAGE_MAX = 1024,
	VALUE_MAX = 8192
};

/* A text and what became of it. */
struct reading {
	struct arena arena;
	struct conf conf;
	char text[MESSAGE_MAX];
	struct buf message;
	enum dk_err err;
};

static void
need(bool holds)
{
	if (!holds)
		abort();
}

static void
read_text(struct reading *r, struct str text, size_t memory)
{
	need(arena_open(&r->arena, memory) == DK_OK);
	BUF_OVER(&r->message, r->text);
	r->err = conf_parse(FILE_NAME, text, &r->arena, &r->conf, &r->message);
}

static void
forget(struct reading *r)
{
	arena_close(&r->arena);
}

static unsigned
count_lines(struct str text)
{
	unsigned n = 0;
	struct str line;

	while (str_cut(&text, '\n', &line))
		n++;
	return n;
}

/* "f.conf:LINE: why", or "f.conf: why" where no line is to blame */
static void
check_message(const struct reading *r, struct str text)
{
	struct str message = buf_str(&r->message), rest, line;
	uint64_t number;

	need(r->err == DK_ERR_CONF && buf_ok(&r->message));
	need(
	    str_is_printable(message) && str_split(message, ':', &rest, &line));
	need(str_eq(rest, FILE_NAME));
	if (!str_starts(line, STR(" "))) {
		need(str_split(line, ':', &line, &rest));
		need(
		    str_to_u64(line, count_lines(text), &number) && number > 0);
		need(str_starts(rest, STR(" ")));
		line = rest;
	}
	need(line.n > 5);
}

static void
check_bounds(struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf_keys_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		const void *at = conf_field(conf, key);
		int64_t n = 0;

		if (key->kind == CONF_DURATION)
			n = *(const int64_t *)at;
		else if (key->kind == CONF_NUMBER)
			n = *(const unsigned *)at;
		else
			continue;
		need(n >= key->min && n <= key->max);
	}
	need(conf->n_origins > 0 && conf->n_origins <= CONF_ORIGINS_MAX);
	need(conf->n_rules <= CONF_RULES_MAX && conf->name.n > 0);
	need(conf->mount.n == 0 || conf->mount.p[0] == '/');
	need(!str_ends(conf->mount, STR("/")));
	/* DK-C-12, DK-C-13: no cookie that a browser would refuse. */
	need(!str_starts(conf->cookie_name_http, STR("__")));
	need(str_ends(conf->cookie_name, conf->cookie_name_http));
	need(conf->cookie_domain.n == 0 ||
	    str_starts(conf->cookie_name, STR("__Secure-")));
}

static void
check_rule(const struct conf_rule *rule)
{
	size_t i;

	need(str_starts(rule->pattern, STR("/")) && rule->line > 0);
	need(!conf_path_is_odd(rule->pattern));
	need(rule->n_subjects <= CONF_RULE_SUBJECTS_MAX);
	need((rule->n_subjects > 0) ==
	    (rule->requirement == CONF_REQUIRE_SUBJECTS));
	need(rule->n_nets <= CONF_RULE_NETS_MAX && rule->reauth_ms >= 0);
	need(rule->level == 1 || rule->level == 2);
	for (i = 0; i < rule->n_subjects; i++)
		need(rule->subjects[i].name.n > 0);
	for (i = 0; i < rule->n_nets; i++)
		need(rule->nets[i].prefix <= 128);
}

static void
same_rule(const struct conf_rule *a, const struct conf_rule *b)
{
	size_t i;

	need(str_eq(a->text, b->text) && str_eq(a->host, b->host));
	need(str_eq(a->pattern, b->pattern) && a->glob == b->glob);
	need(a->requirement == b->requirement && a->level == b->level);
	need(a->reauth_ms == b->reauth_ms && a->activity == b->activity);
	need(str_eq(a->methods, b->methods) && a->n_nets == b->n_nets);
	need(a->n_subjects == b->n_subjects);
	for (i = 0; i < a->n_subjects; i++)
		need(a->subjects[i].kind == b->subjects[i].kind &&
		    str_eq(a->subjects[i].name, b->subjects[i].name));
	for (i = 0; i < a->n_nets; i++)
		need(memcmp(&a->nets[i], &b->nets[i], sizeof(a->nets[i])) == 0);
}

static void
same_values(const struct reading *a, const struct reading *b)
{
	char text[VALUE_MAX], other[VALUE_MAX];
	struct buf one, two;
	size_t i;

	for (i = 0; i < conf_keys_count; i++) {
		BUF_OVER(&one, text);
		BUF_OVER(&two, other);
		conf_print(&a->conf, &conf_keys[i], &one);
		conf_print(&b->conf, &conf_keys[i], &two);
		need(buf_ok(&one) && str_eq(buf_str(&one), buf_str(&two)));
	}
	need(str_eq(a->conf.shared_secret, b->conf.shared_secret));
	need(str_eq(a->conf.cookie_name_http, b->conf.cookie_name_http));
	need(a->conf.n_rules == b->conf.n_rules);
	for (i = 0; i < a->conf.n_rules; i++)
		same_rule(&a->conf.rules[i], &b->conf.rules[i]);
}

struct printer {
	const struct conf *conf;
	struct buf *out;
};

static void
print_item(void *arg, const struct conf_item *item)
{
	struct printer *p = arg;
	struct str value = item->value;

	if (str_eq(value, STR("(set)")))
		value = p->conf->shared_secret;
	if (value.n == 0)
		return; /* unset: no line says so */
	buf_addf(p->out, "[%s]\n%s = ", item->section, item->key);
	buf_add(p->out, value);
	buf_addc(p->out, '\n');
}

static void
reads_again_what_it_prints(const struct reading *r)
{
	static char text[PRINTED_MAX];
	static struct reading again;
	struct printer p = { &r->conf, NULL };
	struct buf out;
	size_t i;

	BUF_OVER(&out, text);
	p.out = &out;
	conf_each(&r->conf, print_item, &p);
	buf_addz(&out, "[access]\n");
	for (i = 0; i < r->conf.n_rules; i++) {
		buf_add(&out, r->conf.rules[i].text);
		buf_addc(&out, '\n');
	}
	need(buf_ok(&out));
	read_text(&again, buf_str(&out), ARENA_SIZE);
	need(again.err == DK_OK);
	same_values(r, &again);
	forget(&again);
}

/* CR LF, and a line end behind the last line, change nothing. */
static void
reads_the_same_with_other_line_ends(const struct reading *r, struct str text)
{
	static char crlf[2 * INPUT_MAX + 2];
	static struct reading again;
	struct buf out;
	struct str line;

	if (str_contains(text, '\r'))
		return;
	BUF_OVER(&out, crlf);
	while (str_cut(&text, '\n', &line)) {
		buf_add(&out, line);
		buf_addz(&out, "\r\n");
	}
	need(buf_ok(&out));
	read_text(&again, buf_str(&out), ARENA_SIZE);
	need(again.err == r->err);
	need(str_eq(buf_str(&again.message), buf_str(&r->message)));
	if (r->err == DK_OK)
		same_values(r, &again);
	forget(&again);
}

/* Memory that ends somewhere on the way. */
static void
says_when_memory_ends(const struct reading *r, const uint8_t *data, size_t size)
{
	static struct reading again;
	struct str text = { (const char *)data, size };
	size_t most = r->arena.used, less = most / 8, memory;

	if (size > 0 && less > 0)
		memory = most - (data[size / 2] * (size_t)97) % less;
	else
		memory = most;
	read_text(&again, text, memory);
	need(again.err == r->err || again.err == DK_ERR_NOMEM);
	need(memory < most || again.err == r->err);
	need(again.err == DK_OK || again.message.len > 0);
	forget(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reading r;
	struct str text = { (const char *)data, size };
	size_t i;

	if (size > INPUT_MAX)
		return 0;
	read_text(&r, text, ARENA_SIZE);
	if (r.err == DK_OK) {
		need(r.message.len == 0);
		check_bounds(&r.conf);
		for (i = 0; i < r.conf.n_rules; i++)
			check_rule(&r.conf.rules[i]);
		reads_again_what_it_prints(&r);
	} else {
		check_message(&r, text);
	}
	reads_the_same_with_other_line_ends(&r, text);
	says_when_memory_ends(&r, data, size);
	forget(&r);
	return 0;
}
