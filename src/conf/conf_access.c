/*
 * The lines of [access]:
 *	/reports/ = group:staff, user:alice; reauth=10m; methods=GET,HEAD
 */
#include "conf/conf_table.h"

#include <string.h>

static enum dk_err
fail(struct buf *message, const char *why, struct str what)
{
	what = conf_shown(what);
	buf_addf(message, "\"%.*s\" %s", STR_FMT(what), why);
	return DK_ERR_CONF;
}

static struct str
lower(struct str s, struct arena *arena)
{
	char *p = arena_alloc(arena, s.n + 1);
	size_t i;

	if (p == NULL)
		return STR_NONE;
	for (i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32)
						      : s.p[i];
	p[i] = '\0';
	return (struct str){ p, s.n };
}

/*
 * "/path" or "host/path".  The path is compared with the decoded one, so an
 * escape in it could never match.
 */
static enum dk_err
read_pattern(struct str text, struct arena *arena, struct conf_rule *rule,
    struct buf *message)
{
	struct str host, path;
	size_t i;

	rule->host = STR_NONE;
	rule->pattern = text;
	if (text.n > 0 && text.p[0] != '/') {
		if (!str_split(text, '/', &host, &path))
			return fail(message,
			    "is no pattern; write /path/ or "
			    "host/path/",
			    text);
		rule->host = lower(host, arena);
		/* None would mean every host. */
		if (str_is_none(rule->host))
			return DK_ERR_NOMEM;
		rule->pattern = (struct str){ path.p - 1, path.n + 1 };
	}
	if (rule->pattern.n == 0 || rule->pattern.n > 1024)
		return fail(message,
		    rule->pattern.n == 0
			? "is no pattern; write /path/"
			: "is no pattern; write /path/ with at most 1024 bytes",
		    text);
	for (i = 0; i < rule->pattern.n; i++) {
		char c = rule->pattern.p[i];

		if (c == '%' || c == '\\' || c == ';' ||
		    (unsigned char)c < 0x20)
			return fail(message,
			    "may not hold % \\ or ; (write "
			    "the path as people read it)",
			    text);
		if (c == '*' || c == '?')
			rule->glob = true;
	}
	if (conf_path_is_odd(rule->pattern))
		return fail(message,
		    "may not hold //, /./ or /../: such "
		    "requests are refused before any rule",
		    text);
	return DK_OK;
}

/* What a name of a person or group can be made of; src/domain is stricter. */
static bool
is_name(struct str name)
{
	return name.n > 0 && !str_contains(name, ' ') &&
	    !str_contains(name, ':');
}

static enum dk_err
add_subject(struct conf_rule *rule, enum conf_subject_kind kind,
    struct str name, struct str word, struct buf *message)
{
	if (!is_name(name))
		return fail(message,
		    "names nobody; write user:NAME or "
		    "group:NAME, with commas between them",
		    word);
	if (rule->n_subjects == CONF_RULE_SUBJECTS_MAX)
		return fail(
		    message, "is one name too many (16); use a group", word);
	rule->subjects[rule->n_subjects].kind = kind;
	rule->subjects[rule->n_subjects].name = name;
	rule->n_subjects++;
	rule->requirement = CONF_REQUIRE_SUBJECTS;
	return DK_OK;
}

static enum dk_err
add_user(struct conf_rule *rule, struct str name, struct arena *arena,
    struct str word, struct buf *message)
{
	name = lower(name, arena);
	if (str_is_none(name))
		return DK_ERR_NOMEM;
	return add_subject(rule, CONF_SUBJECT_USER, name, word, message);
}

static enum dk_err
read_subjects(struct str text, struct arena *arena, struct conf_rule *rule,
    struct buf *message)
{
	struct str word, whole = str_trim(text);
	enum dk_err err = DK_OK;

	if (str_eq(whole, STR("public"))) {
		rule->requirement = CONF_REQUIRE_PUBLIC;
		return DK_OK;
	}
	if (str_eq(whole, STR("any"))) {
		rule->requirement = CONF_REQUIRE_ANY;
		return DK_OK;
	}
	if (str_eq(whole, STR("deny")))
		return DK_OK;
	while (err == DK_OK && str_cut(&text, ',', &word)) {
		word = str_trim(word);
		if (str_starts(word, STR("user:")))
			err = add_user(rule, str_trim(str_sub(word, 5, word.n)),
			    arena, word, message);
		else if (str_starts(word, STR("group:")))
			err = add_subject(rule, CONF_SUBJECT_GROUP,
			    str_trim(str_sub(word, 6, word.n)), word, message);
		else
			err = fail(message,
			    "is no requirement; write public, "
			    "any, deny, or a list of "
			    "user:NAME and group:NAME",
			    word);
	}
	return err;
}

static enum dk_err
read_nets(struct str list, struct conf_rule *rule, struct buf *message)
{
	struct str item;

	while (str_cut(&list, ',', &item)) {
		item = str_trim(item);
		if (rule->n_nets == CONF_RULE_NETS_MAX)
			return fail(
			    message, "is one network too many (16)", item);
		if (!ip_net_parse(item, &rule->nets[rule->n_nets]))
			return fail(message,
			    "is no network, such as "
			    "10.0.0.0/8",
			    item);
		rule->n_nets++;
	}
	return DK_OK;
}

static bool
methods_are_valid(struct str list)
{
	struct str item;
	size_t i;

	while (str_cut(&list, ',', &item)) {
		item = str_trim(item);
		if (item.n == 0)
			return false;
		for (i = 0; i < item.n; i++)
			if (item.p[i] < 'A' || item.p[i] > 'Z')
				return false;
	}
	return true;
}

/* Is it the first of its name?  The last word would else undo the first. */
static bool
is_first(struct str options, struct str option, struct str key)
{
	struct str before, name, value;

	while (str_cut(&options, ';', &before) && before.p != option.p) {
		(void)str_split(before, '=', &name, &value);
		if (str_eq(str_trim(name), key))
			return false;
	}
	return true;
}

static enum dk_err
read_option(struct str options, struct str option, struct conf_rule *rule,
    struct buf *message)
{
	bool first, valued;
	struct str key, value;

	valued = str_split(option, '=', &key, &value);
	key = str_trim(key);
	value = str_trim(value);
	first = is_first(options, option, key);
	option = str_trim(option);
	if (!first)
		return fail(
		    message, "stands twice in the rule; remove one", option);
	/* "net" alone must not mean every net. */
	if (!valued || value.n == 0)
		return fail(message,
		    "is no option; write NAME=VALUE with one "
		    "of reauth, level, methods, net and "
		    "activity",
		    option);
	if (str_eq(key, STR("reauth"))) {
		if (conf_parse_duration(value, &rule->reauth_ms) &&
		    rule->reauth_ms >= 1000)
			return DK_OK;
		return fail(
		    message, "must be reauth=TIME, such as reauth=10m", option);
	}
	if (str_eq(key, STR("level"))) {
		rule->level = str_eq(value, STR("2")) ? 2 : 1;
		if (rule->level == 2 || str_eq(value, STR("1")))
			return DK_OK;
		return fail(message, "must be level=1 or level=2", option);
	}
	if (str_eq(key, STR("methods"))) {
		rule->methods = value;
		if (methods_are_valid(value))
			return DK_OK;
		return fail(
		    message, "must be a list such as methods=GET,HEAD", option);
	}
	if (str_eq(key, STR("net")))
		return read_nets(value, rule, message);
	if (str_eq(key, STR("activity"))) {
		rule->activity = !str_eq(value, STR("no"));
		if (!rule->activity || str_eq(value, STR("yes")))
			return DK_OK;
		return fail(
		    message, "must be activity=no or activity=yes", option);
	}
	return fail(message,
	    "is no option; there are reauth, level, methods, "
	    "net and activity",
	    option);
}

enum dk_err
conf_read_rule(struct str pattern, struct str requirement, struct arena *arena,
    struct conf_rule *rule, struct buf *message)
{
	struct str subjects, options, rest, option;
	enum dk_err err;

	*rule = (struct conf_rule){ .level = 1, .activity = true };
	err = read_pattern(pattern, arena, rule, message);
	if (err != DK_OK)
		return err;
	(void)str_split(requirement, ';', &subjects, &options);
	err = read_subjects(subjects, arena, rule, message);
	rest = options;
	while (err == DK_OK && str_cut(&rest, ';', &option))
		err = read_option(options, option, rule, message);
	if (err == DK_OK && rule->requirement == CONF_REQUIRE_PUBLIC &&
	    (rule->reauth_ms > 0 || rule->level > 1))
		err = fail(message,
		    "is public: nobody signs in, so reauth "
		    "and level cannot be met",
		    pattern);
	return err;
}

/*
 * The words are those of a rule's requirement, so they are read as one, but
 * not all of them are meant here.
 */
enum dk_err
conf_read_factor(struct conf *conf, struct str text, struct arena *arena,
    struct buf *message)
{
	struct conf_rule rule = { 0 };
	enum dk_err err;

	conf->factor_for_all = str_eq(text, STR("all"));
	conf->n_factor_subjects = 0;
	if (conf->factor_for_all)
		return DK_OK;
	if (text.n > CONF_LIST_MAX)
		return fail(message, "is too long; use a group", text);
	err = read_subjects(text, arena, &rule, message);
	if (err == DK_ERR_NOMEM)
		return err;
	if (err != DK_OK || rule.requirement != CONF_REQUIRE_SUBJECTS) {
		buf_reset(message);
		return fail(message,
		    "must be all, or a list of at most 16 group:NAME and "
		    "user:NAME",
		    text);
	}
	memcpy(conf->factor_subjects, rule.subjects, sizeof(rule.subjects));
	conf->n_factor_subjects = rule.n_subjects;
	return DK_OK;
}
