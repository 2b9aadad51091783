#ifndef DK_WEB_ADMIN_H
#define DK_WEB_ADMIN_H

#include "domain/audit.h"
#include "http/form.h"
#include "web/page.h"

/*
 * Within src/web: the administrator's desk, what its pages have in common.
 * For members of [admin] group; to everybody else there is no such page.
 */
enum { ADMIN_ROWS = 50, ADMIN_URL_MAX = 2048 };

/*
 * Is this an administrator, with the second factor that is asked of them?
 * From then on c->asker says who acts.  False after answering.
 */
bool admin_enter(struct ctx *c);
/*
 * May this change be made: from a page of ours, with its token, and by a
 * fresh sign-in?  back is where a sign-in leads to.  False after answering.
 */
bool admin_may_change(struct ctx *c, struct str token, struct str back);
/* Read fields of a query or a posted form; false after answering 400. */
bool admin_read(
    struct ctx *c, struct str text, struct form_field *fields, size_t n);
bool admin_read_form(struct ctx *c, struct form_field *fields, size_t n);

/* "/auth/admin/people?search=…": pairs without a value are left out. */
struct admin_pair {
	const char *name;
	struct str value;
};
struct str admin_url(
    struct ctx *c, const char *path, const struct admin_pair *pairs, size_t n);

/* What was done, and where to go on: 303 to url with done=WORD. */
void admin_done(struct ctx *c, const char *path, const struct admin_pair *pairs,
    size_t n, const char *word);

/* A page of the desk: what it is about, a problem or MSG_NONE, its values. */
struct admin_page {
	const char *template;
	enum msg title, problem;
	int64_t number; /* in the problem */
	struct template_value *values;
	size_t n, max;
};
void admin_add(struct admin_page *page, struct template_value value);
void admin_render(struct ctx *c, unsigned status, struct admin_page *page);

/* The options of a <select>: rows of value, label, selected. */
struct admin_option {
	const char *value;
	enum msg label;
	int64_t number; /* in the label */
};
struct template_value admin_options(struct ctx *c, const char *name,
    const struct admin_option *options, size_t n, struct str chosen);

/* "17", in the arena. */
struct str admin_number(struct ctx *c, int64_t n);
/* An id of the store, or a number of a cursor. */
bool admin_read_number(struct str text, int64_t *n);

/* A page of a list as rows for the template, and where the next begins. */
struct admin_cursor {
	bool more;
	int64_t at_ms;
	int64_t event;			 /* its id */
	char session[UUID_TEXT_LEN + 1]; /* its id */
};
struct admin_rows {
	struct ctx *c;
	struct template_value *values;
	struct admin_cursor *cursor;
	size_t n, limit, width;
};
/* Room for limit rows of width values; ask the store for one row more. */
enum dk_err admin_rows_begin(struct admin_rows *r, size_t width) DK_CHECK;
/* The values of the next row; NULL, and cursor->more, behind the last. */
struct template_value *admin_rows_next(struct admin_rows *r);
/* path?name=value, kept; "" for no value. */
struct str admin_link(struct ctx *c, const char *path, const char *name,
    struct str value);
enum dk_err admin_list_sessions(struct ctx *c,
    const struct session_filter *filter, struct admin_cursor *cursor,
    size_t limit, struct template_value *list) DK_CHECK;
enum dk_err admin_list_events(struct ctx *c, const struct event_filter *filter,
    struct admin_cursor *cursor, size_t limit,
    struct template_value *list) DK_CHECK;

void page_admin(struct ctx *c);
void page_admin_fresh(struct ctx *c);
void page_admin_people(struct ctx *c);
void page_admin_people_post(struct ctx *c);
void page_admin_person(struct ctx *c);
void page_admin_person_post(struct ctx *c);
void page_admin_sessions(struct ctx *c);
void page_admin_sessions_post(struct ctx *c);
void page_admin_events(struct ctx *c);
void page_admin_lines(struct ctx *c);
/* The one-use link, shown once. */
void admin_show_link(struct ctx *c, const struct user_row *user, bool added);

#endif
