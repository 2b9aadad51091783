#include "http/json.h"

#include <jansson.h>

#include "base/secret.h"

/*
 * jansson drops a byte of a string for which it finds no memory, and says
 * nothing: a password would be another one.  So we remember it ourselves.
 */
static bool starved; /* jansson hands its allocator no argument */

static void *
allocate(size_t n)
{
	void *p = secret_alloc(n);

	starved |= p == NULL;
	return p;
}

static enum dk_err
read_string(const json_t *value, size_t max, struct arena *arena,
    struct str *to, const char **problem)
{
	struct str text;

	if (!json_is_string(value)) {
		*problem = "a member of the object must be a string";
		return DK_ERR_INPUT;
	}
	text =
	    (struct str){ json_string_value(value), json_string_length(value) };
	if (text.n > max) {
		*problem = "a member of the object is too long";
		return DK_ERR_TOO_LARGE;
	}
	*to = arena_dup(arena, text);
	return str_is_none(*to) ? DK_ERR_NOMEM : DK_OK;
}

static enum dk_err
read_list(struct json_member *member, const json_t *value, struct arena *arena,
    const char **problem)
{
	enum dk_err err = DK_OK;
	size_t i;

	if (!json_is_array(value)) {
		*problem = "a member of the object must be a list of strings";
		return DK_ERR_INPUT;
	}
	if (json_array_size(value) > member->list_max) {
		*problem = "a list of the object is too long";
		return DK_ERR_TOO_LARGE;
	}
	for (i = 0; err == DK_OK && i < json_array_size(value); i++) {
		err = read_string(json_array_get(value, i), member->max, arena,
		    &member->list[i], problem);
		member->n_list = i + 1;
	}
	return err;
}

static enum dk_err
read_member(struct json_member *member, const json_t *value,
    struct arena *arena, const char **problem)
{
	if (value == NULL || json_is_null(value))
		return DK_OK;
	switch (member->type) {
	case JSON_LIST_MEMBER:
		return read_list(member, value, arena, problem);
	case JSON_STRING_MEMBER:
		return read_string(
		    value, member->max, arena, &member->text, problem);
	case JSON_BOOL_MEMBER:
		break;
	}
	if (!json_is_boolean(value)) {
		*problem = "a member of the object must be true or false";
		return DK_ERR_INPUT;
	}
	member->flag = json_is_true(value);
	return DK_OK;
}

enum dk_err
json_read(struct str text, struct json_member *members, size_t n,
    struct arena *arena, const char **problem)
{
	enum dk_err err = DK_OK;
	json_error_t why;
	json_t *root;
	size_t i;

	*problem = NULL;
	for (i = 0; i < n; i++) {
		members[i].text = STR_NONE;
		members[i].flag = false;
		members[i].n_list = 0;
	}
	/* jansson's copies of the strings are wiped as they are freed. */
	starved = false;
	json_set_alloc_funcs(allocate, secret_free);
	root = json_loadb(
	    text.p == NULL ? "" : text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	if (starved) {
		err = DK_ERR_NOMEM;
		goto out;
	}
	if (!json_is_object(root)) {
		*problem = "the body is not one valid JSON object";
		err = DK_ERR_INPUT;
		goto out;
	}
	for (i = 0; i < n && err == DK_OK; i++)
		err = read_member(&members[i],
		    json_object_get(root, members[i].name), arena, problem);
out:
	json_decref(root);
	return err;
}
