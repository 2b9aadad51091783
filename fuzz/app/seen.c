#include "seen.h"

#include <stdio.h>
#include <string.h>

/* The bytes of a request in one piece, as they came and percent-decoded. */
struct bytes {
	char raw[STAGE_TEXT_MAX], decoded[STAGE_TEXT_MAX];
	char cookie[STAGE_TEXT_MAX]; /* HTTP_COOKIE alone */
	char plain[STAGE_TEXT_MAX];  /* all but the cookies */
	size_t n_raw, n_decoded, n_cookie, n_plain, body_at, decoded_body_at;
};
static struct bytes bytes;

static void
append(char *to, size_t *n, const char *p, size_t len)
{
	if (len > STAGE_TEXT_MAX - 1 - *n)
		stage_abort("judge", "a request that is too long");
	memcpy(to + *n, p, len);
	*n += len;
	to[*n] = '\0';
}

void
seen_gather(const struct asked *q)
{
	const char *body = q->body.p == NULL ? "" : q->body.p;
	size_t i;

	bytes.n_raw = bytes.n_decoded = bytes.n_cookie = bytes.n_plain = 0;
	bytes.cookie[0] = '\0';
	for (i = 0; i < q->n_params; i++) {
		const char *p = q->params[i];

		append(bytes.raw, &bytes.n_raw, p, strlen(p));
		append(bytes.raw, &bytes.n_raw, "\n", 1);
		if (strncmp(p, "HTTP_COOKIE=", 12) == 0) {
			append(bytes.cookie, &bytes.n_cookie, p, strlen(p));
			append(bytes.cookie, &bytes.n_cookie, "\n", 1);
		} else {
			append(bytes.plain, &bytes.n_plain, p, strlen(p));
			append(bytes.plain, &bytes.n_plain, "\n", 1);
		}
	}
	bytes.body_at = bytes.n_raw;
	append(bytes.raw, &bytes.n_raw, body, q->body.n);
	append(bytes.plain, &bytes.n_plain, body, q->body.n);
	for (i = 0; i < bytes.n_raw; i++) {
		char c = bytes.raw[i];

		if (i <= bytes.body_at)
			bytes.decoded_body_at = bytes.n_decoded;
		if (c == '%' && i + 2 < bytes.n_raw &&
		    str_hex_digit(bytes.raw[i + 1]) >= 0 &&
		    str_hex_digit(bytes.raw[i + 2]) >= 0) {
			c = (char)(str_hex_digit(bytes.raw[i + 1]) * 16 +
			    str_hex_digit(bytes.raw[i + 2]));
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		bytes.decoded[bytes.n_decoded++] = c;
	}
}

static bool
has(const char *text, size_t n, const char *what)
{
	return memmem(text, n, what, strlen(what)) != NULL;
}

/* Has the request these characters, in one writing or the other? */
bool
seen_came(const char *what)
{
	return has(bytes.raw, bytes.n_raw, what) ||
	    has(bytes.decoded, bytes.n_decoded, what);
}

static bool
is_token_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool
judge_token_at(const char *p, size_t n, struct digest *hash)
{
	struct secret secret;
	size_t i;

	for (i = 0; i < SECRET_TEXT_LEN; i++)
		if (i >= n || !is_token_char(p[i]))
			return false;
	if (!secret_from_text((struct str){ p, SECRET_TEXT_LEN }, &secret))
		return false;
	secret_sha256(
	    (struct str){ (const char *)secret.byte, SECRET_LEN }, hash);
	return true;
}

/* Is the secret of this hash somewhere in the text? */
bool
seen_holds_token(const char *text, size_t n, const struct digest *hash)
{
	struct digest found;
	size_t i, run = 0;

	for (i = 0; i < n; i++) {
		run = is_token_char(text[i]) ? run + 1 : 0;
		if (run >= SECRET_TEXT_LEN &&
		    judge_token_at(text + i + 1 - SECRET_TEXT_LEN,
			SECRET_TEXT_LEN, &found) &&
		    memcmp(&found, hash, sizeof(found)) == 0)
			return true;
	}
	return false;
}

bool
seen_presented(const struct snap_session *e)
{
	const char *at = bytes.cookie;
	struct digest hash;

	while ((at = strstr(at, e->id)) != NULL) {
		at += UUID_TEXT_LEN;
		if (*at == '.' &&
		    judge_token_at(at + 1, strlen(at + 1), &hash) &&
		    memcmp(&hash, &e->hash, sizeof(hash)) == 0)
			return true;
	}
	return false;
}

const struct snap_user *
seen_user_of(const struct snap *snap, int64_t id)
{
	size_t i;

	for (i = 0; i < snap->n_users; i++)
		if (snap->users[i].id == id)
			return &snap->users[i];
	return NULL;
}

const struct snap_session *
seen_session_of(const struct snap *snap, const char *id)
{
	size_t i;

	for (i = 0; i < snap->n_sessions; i++)
		if (strcmp(snap->sessions[i].id, id) == 0)
			return &snap->sessions[i];
	return NULL;
}

/* Shown by the request, and good for something at this moment? */
bool
seen_lives(const struct snap *snap, const struct snap_session *e, int64_t now)
{
	const struct snap_user *u = seen_user_of(snap, e->user_id);

	return seen_presented(e) && u != NULL && !u->disabled &&
	    !u->must_change && now < e->expires &&
	    (e->idle == 0 || now < e->seen + e->idle);
}

bool
seen_is_member(const struct snap_user *u, const char *group)
{
	return strcmp(u->groups, group) == 0;
}

/* id 0: anybody's. */
bool
seen_session_came(const struct snap *snap, int64_t id, int64_t now)
{
	size_t i;

	for (i = 0; i < snap->n_sessions; i++)
		if ((id == 0 || snap->sessions[i].user_id == id) &&
		    seen_lives(snap, &snap->sessions[i], now))
			return true;
	return false;
}

bool
seen_admin_came(const struct snap *snap, int64_t now)
{
	size_t i;

	for (i = 0; i < snap->n_users; i++)
		if (seen_is_member(&snap->users[i], "admins") &&
		    seen_session_came(snap, snap->users[i].id, now))
			return true;
	return false;
}

bool
seen_link_came(const struct snap *snap, int64_t user_id)
{
	size_t i;

	for (i = 0; i < snap->n_links; i++)
		if (snap->links[i].user_id == user_id &&
		    seen_holds_token(
			bytes.raw, bytes.n_raw, &snap->links[i].hash))
			return true;
	return false;
}

int
seen_person_of(struct stage *s, int64_t id)
{
	int i;

	for (i = 0; i < PEOPLE; i++)
		if (s->people[i].id == id)
			return i;
	return PEOPLE;
}

bool
seen_password_came(struct stage *s, const struct memory *m, int64_t id)
{
	int i = seen_person_of(s, id);

	return i == PEOPLE || m->changed[i] ||
	    (s->people[i].pw != NULL && seen_came(s->people[i].pw));
}

static bool
seed_of_text(const char *text, struct totp_seed *seed)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned bits = 0, n_bits = 0;
	size_t i, n = 0;

	for (i = 0; text[i] != '\0' && n < TOTP_SEED_LEN; i++) {
		const char *at = strchr(alphabet, text[i]);

		if (at == NULL)
			return false;
		bits = bits << 5 | (unsigned)(at - alphabet);
		n_bits += 5;
		if (n_bits >= 8) {
			n_bits -= 8;
			seed->byte[n++] = (unsigned char)(bits >> n_bits);
		}
	}
	return n == TOTP_SEED_LEN;
}

static bool
seed_fits(const struct totp_seed *seed, int64_t now)
{
	char code[TOTP_DIGITS + 1];
	int64_t step;

	for (step = now / TOTP_STEP_MS - 1; step <= now / TOTP_STEP_MS + 1;
	     step++) {
		totp_code(seed, step, code);
		if (seen_came(code))
			return true;
	}
	return false;
}

bool
seen_code_came(
    struct stage *s, const struct asked *q, const struct memory *m, int64_t id)
{
	bool carol = id == s->people[CAROL].id;
	size_t i;

	if (carol && seed_fits(&s->seed, q->now))
		return true;
	for (i = 0; i < sizeof(m->seeds) / sizeof(m->seeds[0]); i++) {
		struct totp_seed shown;

		if (seed_of_text(m->seeds[i], &shown) &&
		    seed_fits(&shown, q->now))
			return true;
	}
	for (i = 0; carol && i < RECOVERY_CODES; i++)
		if (seen_came(s->recovery.text[i]))
			return true;
	return m->codes_shown;
}

void
judge_note_shown(struct memory *m, const char *seed, struct str page)
{
	size_t n = sizeof(m->seeds) / sizeof(m->seeds[0]);

	if (seed[0] != '\0')
		(void)snprintf(m->seeds[m->n_seeds++ % n], sizeof(m->seeds[0]),
		    "%s", seed);
	m->codes_shown |=
	    page.n > 0 && has(page.p, page.n, "class=\"codes\"><li>");
}

void
judge_shown_code(
    const struct memory *m, int64_t now, char code[TOTP_DIGITS + 1])
{
	size_t n = sizeof(m->seeds) / sizeof(m->seeds[0]);
	struct totp_seed seed;

	code[0] = '\0';
	if (m->n_seeds > 0 &&
	    seed_of_text(m->seeds[(m->n_seeds - 1) % n], &seed))
		totp_code(&seed, now / TOTP_STEP_MS, code);
}

/* --- what a page may show again ------------------------------------------- */

/* Is what stands before p the name of a field for secrets? */
static bool
is_secret_field(const char *text, size_t at)
{
	static const char *const marks[] = { "password=", "totp_code=",
		"\"password\":\"", "current_password\":\"", "new_password\":\"",
		"\"totp_code\":\"" };
	size_t i, n;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		n = strlen(marks[i]);
		if (at >= n && memcmp(text + at - n, marks[i], n) == 0)
			return true;
	}
	return false;
}

static bool
elsewhere(const char *text, size_t n, size_t body_at, const char *what)
{
	const char *at = text;

	while ((at = memmem(at, n - (size_t)(at - text), what, strlen(what))) !=
	    NULL) {
		if ((size_t)(at - text) < body_at ||
		    !is_secret_field(text, (size_t)(at - text)))
			return true;
		at++;
	}
	return false;
}

bool
seen_came_elsewhere(const char *what)
{
	return elsewhere(bytes.raw, bytes.n_raw, bytes.body_at, what) ||
	    elsewhere(
		bytes.decoded, bytes.n_decoded, bytes.decoded_body_at, what);
}

bool
seen_token_elsewhere(const struct digest *hash)
{
	return seen_holds_token(bytes.plain, bytes.n_plain, hash);
}
