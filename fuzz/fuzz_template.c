/*
 * The check of a template.  The first byte chooses the page, the rest is its
 * text.  A text that the check takes is rendered with values full of markup,
 * with all its sections on and with all off: that works, and the only markup
 * in what comes out is the template's own.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "web/template.h"

enum { OUT_MAX = 1024 * 1024 };

static const char *const pages[] = { "login.html", "account.html", "error.html",
	"head.html", "second.html", "password.html", "logout.html" };

/* No letter of it is in any name of ours. */
#define HOSTILE STR("<X \"X'X>&{{X}}X=X/X-->")

static const char *const texts[] = { "site_name", "mount", "style", "title",
	"logo", "home", "next", "csrf_token", "username", "message", "notice",
	"heading", "request_id", "detail", "kept", "sso", "sso_text",
	"display_name", "email", "done", "groups",
	"codes_left", "failures", "qr_path", "qr_side", "seed_text",
	"seed_uri" };
static const char *const flags[] = { "remember", "password_autofocus",
	"signed_in", "dead", "tried", "wrong_pair", "wrong_password",
	"wrong_new", "wrong_code", "fresh", "others", "factor_on", "enrolling" };
static const char *const row_names[] = { "id", "device", "ip", "signed_in_at",
	"last_seen_at", "current", "code", "at", "what", "from" };
static const char *const lists[] = { "sessions", "codes", "sign_ins" };

enum {
	TEXTS = sizeof(texts) / sizeof(texts[0]),
	FLAGS = sizeof(flags) / sizeof(flags[0]),
	ROW = sizeof(row_names) / sizeof(row_names[0]),
	LISTS = sizeof(lists) / sizeof(lists[0]),
	ALL = TEXTS + FLAGS + LISTS
};

static void
fill(struct template_value *values, const struct template_value *row, bool on)
{
	size_t n = 0, i;

	for (i = 0; i < TEXTS; i++)
		values[n++] = T_TEXT(texts[i], on ? HOSTILE : STR(""));
	for (i = 0; i < FLAGS; i++)
		values[n++] = T_FLAG(flags[i], on);
	for (i = 0; i < LISTS; i++)
		values[n++] = T_LIST(lists[i], row, on ? 1 : 0, ROW);
}

static size_t
count(struct str s, char c)
{
	size_t n = 0, i;

	for (i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

static void
render(struct str page, struct str text, bool on)
{
	static const char marks[] = "<>\"'";
	static char storage[OUT_MAX];
	struct template_value values[ALL], row[ROW];
	struct templates t = { .n = 4 };
	struct buf out;
	size_t i;

	for (i = 0; i < ROW; i++)
		row[i] = T_TEXT(row_names[i], HOSTILE);
	fill(values, row, on);
	t.item[0] = (struct template){ .name = page.p, .text = text };
	t.item[1] = (struct template){ .name = "head.html",
		.text = STR("<title>{{title}}</title>") };
	t.item[2] = (struct template){ .name = "foot.html",
		.text = STR("<p>{{site_name}}") };
	t.item[3] = (struct template){ .name = "brand.html",
		.text = STR("<b>{{logo}}") };
	if (str_eq(page, STR("head.html")))
		t.n = 1;
	BUF_OVER(&out, storage);
	if (template_render(&t, page.p, WORDS_ENGLISH, values, ALL, &out) != DK_OK)
		abort();
	if (out.overflow)
		return;
	for (i = 0; i < sizeof(marks) - 1; i++)
		if (count(buf_str(&out), marks[i]) >
		    count(text, marks[i]) + 4 * count(text, '{'))
			abort();
	if (strstr(storage, "<X") != NULL || strstr(storage, "\"X") != NULL ||
	    strstr(storage, "'X") != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[512];
	struct buf message;
	struct str text = { (const char *)data, size }, page;

	if (size == 0 || size > TEMPLATE_FILE_MAX)
		return 0;
	page = str_from(pages[data[0] % (sizeof(pages) / sizeof(pages[0]))]);
	text = str_sub(text, 1, size - 1);
	BUF_OVER(&message, line);
	if (template_check(STR("f"), page.p, text, &message) != DK_OK) {
		/* The administrator is told the reason, in one line. */
		if (message.len < 8 || strchr(line, '\n') != NULL)
			abort();
		return 0;
	}
	/* What the template itself writes cannot be told from a value. */
	if (count(text, 'X') > 0 || count(text, '\0') > 0)
		return 0;
	render(page, text, true);
	render(page, text, false);
	return 0;
}
