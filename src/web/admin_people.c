/*
 * People: look for them, and add one.  POST /admin/people takes username,
 * display_name, email and groups, and shows the one-use link.
 */
#include <string.h>

#include "domain/account.h"
#include "domain/link.h"
#include "web/admin.h"

enum { PERSON_VALUES = 6, LINK_MAX_LEN = 512, GROUPS_TEXT_MAX = 2200 };

struct people {
	struct user_row *row;
	size_t n;
};

static enum dk_err
take(void *arg, const struct user_row *row)
{
	struct people *people = arg;

	people->row[people->n++] = *row;
	return DK_OK;
}

static enum dk_err
add_person(struct ctx *c, const struct user_row *u, struct template_value *v)
{
	const struct admin_pair pair = { "name", str_from(u->username) };
	char text[GROUPS_TEXT_MAX];
	struct group_list groups;
	struct buf b;
	enum dk_err err = account_groups(c->web->dom, u->id, &groups);
	size_t i;

	BUF_OVER(&b, text);
	for (i = 0; err == DK_OK && i < groups.n; i++)
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", groups.name[i]);
	v[0] = T_TEXT("name", arena_dup(c->arena, pair.value));
	v[1] = T_TEXT("url", admin_url(c, "/admin/person", &pair, 1));
	v[2] = T_TEXT("person", arena_dup(c->arena, str_from(u->display_name)));
	v[3] = T_TEXT("groups", arena_dup(c->arena, buf_str(&b)));
	v[4] = T_FLAG("disabled", u->disabled);
	v[5] = T_FLAG("no_password", u->password_hash[0] == '\0');
	return err;
}

/* What the form of the list asks for. */
struct search {
	struct str text, group, state, after;
	struct user_filter filter;
};

static bool
read_search(struct ctx *c, struct search *s)
{
	struct form_field in[] = { { .name = "search", .max = USER_BEGINS_MAX },
		{ .name = "group", .max = USER_GROUP_MAX },
		{ .name = "state", .max = 16 },
		{ .name = "after", .max = USER_NAME_MAX } };

	if (!admin_read(c, c->req->query, in, 4))
		return false;
	*s = (struct search){ .text = str_trim(in[0].value),
		.group = str_trim(in[1].value),
		.state = in[2].value,
		.after = in[3].value };
	s->filter = (struct user_filter){ .begins = s->text,
		.group = s->group,
		.state = str_eq(s->state, STR("disabled")) ? USERS_DISABLED
		    : str_eq(s->state, STR("enabled"))	   ? USERS_ENABLED
							   : USERS_ALL };
	return true;
}

static struct str
page_url(struct ctx *c, const struct search *s, struct str after)
{
	const struct admin_pair pairs[] = { { "search", s->text },
		{ "group", s->group }, { "state", s->state },
		{ "after", after } };

	return admin_url(c, "/admin/people", pairs, 4);
}

/* One row more than is shown says whether there is another page. */
static enum dk_err
add_list(struct ctx *c, const struct search *s, struct admin_page *page)
{
	struct people people = { .row = arena_alloc(c->arena,
				     (ADMIN_ROWS + 1) * sizeof(*people.row)) };
	struct template_value *rows =
	    arena_alloc(c->arena, ADMIN_ROWS * PERSON_VALUES * sizeof(*rows));
	char key[USER_NAME_MAX + 1] = "";
	size_t i;
	enum dk_err err;

	if (people.row == NULL || rows == NULL)
		return DK_ERR_NOMEM;
	/* A name that cannot be one is behind no page of ours. */
	if (s->after.n > 0 && !account_key(s->after, key))
		return DK_ERR_INPUT;
	err = account_find(c->web->dom, &s->filter, str_from(key),
	    ADMIN_ROWS + 1, take, &people);
	for (i = 0; err == DK_OK && i < people.n && i < ADMIN_ROWS; i++)
		err = add_person(c, &people.row[i], rows + i * PERSON_VALUES);
	admin_add(page, T_LIST("people", rows, i, PERSON_VALUES));
	admin_add(page,
	    T_TEXT("next_url",
		people.n > ADMIN_ROWS
		    ? page_url(
			  c, s, str_from(people.row[ADMIN_ROWS - 1].username))
		    : STR("")));
	admin_add(page,
	    T_TEXT("first_url",
		s->after.n > 0 ? page_url(c, s, STR_NONE) : STR("")));
	secret_wipe(people.row, (ADMIN_ROWS + 1) * sizeof(*people.row));
	return err;
}

/* The fields of the form that adds somebody, as they were filled in. */
struct new_person {
	struct str name, display_name, email, groups;
};

static void
show(struct ctx *c, unsigned status, const struct search *s,
    const struct new_person *new_person, enum msg problem, int64_t number)
{
	static const struct admin_option states[] = { { "", MSG_DESK_ANYBODY,
							  0 },
		{ "enabled", MSG_DESK_NOT_DISABLED, 0 },
		{ "disabled", MSG_DESK_DISABLED, 0 } };
	struct template_value values[20];
	struct admin_page page = { .template = "admin_people.html",
		.title = MSG_DESK_PEOPLE,
		.problem = problem,
		.number = number,
		.values = values,
		.max = 20 };
	enum dk_err err = add_list(c, s, &page);

	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	admin_add(&page, T_TEXT("search", s->text));
	admin_add(&page, T_TEXT("group", s->group));
	admin_add(&page, admin_options(c, "states", states, 3, s->state));
	admin_add(&page, T_TEXT("new_name", new_person->name));
	admin_add(&page, T_TEXT("new_person", new_person->display_name));
	admin_add(&page, T_TEXT("new_email", new_person->email));
	admin_add(&page, T_TEXT("new_groups", new_person->groups));
	admin_render(c, status, &page);
}

void
page_admin_people(struct ctx *c)
{
	const struct new_person nobody = { STR_NONE, STR_NONE, STR_NONE,
		STR_NONE };
	struct search s;

	if (admin_enter(c) && read_search(c, &s))
		show(c, 200, &s, &nobody, MSG_NONE, 0);
}

void
admin_show_link(struct ctx *c, const struct user_row *user, bool added)
{
	const struct admin_pair pair = { "name", str_from(user->username) };
	struct template_value values[8];
	struct admin_page page = { .template = "admin_link.html",
		.title = MSG_DESK_LINK,
		.values = values,
		.max = 8 };
	struct buf link = arena_buf(c->arena, LINK_MAX_LEN);
	struct secret token;
	enum dk_err err =
	    link_make(c->web->dom, &c->asker, user, c->now_ms, &token);

	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	link_add_url(c->web->conf, &token, &link);
	secret_wipe(&token, sizeof(token));
	admin_add(&page, T_TEXT("link", buf_str(&link)));
	admin_add(&page, T_TEXT("username", str_from(user->username)));
	admin_add(&page, T_FLAG("added", added));
	admin_add(
	    &page, T_TEXT("until", page_time(c, c->now_ms + LINK_LIFE_MS)));
	admin_add(&page,
	    T_TEXT("person_url", admin_url(c, "/admin/person", &pair, 1)));
	admin_render(c, 200, &page);
}

/* "staff, editors" into its names. */
static enum msg
split_groups(struct str text, struct str *groups, size_t *n)
{
	struct str word;

	*n = 0;
	while (str_cut(&text, ',', &word)) {
		word = str_trim(word);
		if (word.n == 0)
			continue;
		if (*n == USER_GROUPS_MAX)
			return MSG_DESK_TOO_MANY_GROUPS;
		if (!account_group_is_valid(word))
			return MSG_DESK_NO_GROUP;
		groups[(*n)++] = word;
	}
	return MSG_NONE;
}

/* MSG_NONE when the account is there. */
static enum msg
add(struct ctx *c, const struct new_person *in, struct user_row *user,
    enum dk_err *err)
{
	struct str groups[USER_GROUPS_MAX];
	struct account_new new_account = { .name = in->name,
		.display_name = in->display_name,
		.email = in->email,
		.groups = groups };
	enum password_flaw flaw;
	bool found = false;
	enum msg problem =
	    split_groups(in->groups, groups, &new_account.n_groups);

	*err = DK_OK;
	if (problem != MSG_NONE)
		return problem;
	if (!account_name_is_valid(in->name))
		return MSG_DESK_NO_NAME;
	*err =
	    account_add(c->web->dom, &c->asker, &new_account, c->now_ms, &flaw);
	if (*err == DK_ERR_CONFLICT)
		return MSG_DESK_NAME_TAKEN;
	if (*err == DK_ERR_INPUT)
		return MSG_DESK_NO_ADDRESS;
	if (*err == DK_OK)
		*err = account_get(c->web->dom, in->name, user, &found);
	if (*err == DK_OK && !found)
		*err = DK_ERR_INTERNAL;
	return MSG_NONE;
}

void
page_admin_people_post(struct ctx *c)
{
	struct form_field in[] = { { .name = "csrf_token", .max = 256 },
		{ .name = "username", .max = USER_BEGINS_MAX },
		{ .name = "display_name", .max = 4 * USER_DISPLAY_NAME_MAX },
		{ .name = "email", .max = 2 * USER_EMAIL_MAX },
		{ .name = "groups", .max = GROUPS_TEXT_MAX } };
	struct new_person new_person;
	struct user_row user = { 0 };
	struct search s;
	enum msg problem;
	enum dk_err err;

	if (!admin_enter(c) || !admin_read_form(c, in, 5) ||
	    !read_search(c, &s) ||
	    !admin_may_change(
		c, in[0].value, admin_url(c, "/admin/people", NULL, 0)))
		return;
	new_person = (struct new_person){ .name = str_trim(in[1].value),
		.display_name = str_trim(in[2].value),
		.email = str_trim(in[3].value),
		.groups = in[4].value };
	problem = add(c, &new_person, &user, &err);
	if (problem != MSG_NONE)
		show(c, 400, &s, &new_person, problem, USER_GROUPS_MAX);
	else if (err != DK_OK)
		page_fail(c, err);
	else
		admin_show_link(c, &user, true);
	secret_wipe(&user, sizeof(user));
}
