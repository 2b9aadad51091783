#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/conditional.h"
#include "http/media_type.h"
#include "http/url.h"
#include "web/gate.h"
#include "web/hosting.h"

#define HANDLER STR("doorkeep-files")

/* For the administrator. */
static const char script_detail[] =
    "This directory gives out files and runs no CGI or PHP. Put scripts into "
    "a directory that is guarded by htaccess-marker, beside this one.";
static const char outside_detail[] =
    "A symbolic link leads out of the document root. Put the file itself "
    "there.";
static const char unreadable_detail[] =
    "The program may not read this file: chmod 644 on it, 711 or 755 on the "
    "directories above. Where the host runs it as FastCGI, [security] sandbox "
    "= off.";

bool
hosted_file_asked(const struct request *req)
{
	/* Set by Apache where an Action runs us; a client's headers come as
	 * HTTP_….  Called by its own URL the program has no wanted page. */
	return req->role == REQUEST_RESPONDER && !str_is_none(req->wanted) &&
	    str_eq(request_param(req, STR("REDIRECT_HANDLER")), HANDLER);
}

static void
refuse(struct ctx *c, unsigned status, const char *detail)
{
	page_problem(c,
	    &(struct page_problem){ .status = status, .detail = detail });
}

/* A path as it is on the disk, written as in a request line. */
static struct str
target_of_path(struct ctx *c, struct str path)
{
	struct buf b = arena_buf(c->arena, 3 * REQUEST_TARGET_MAX);
	struct str segment;
	bool first = true;

	while (str_cut(&path, '/', &segment)) {
		if (!first)
			buf_addc(&b, '/');
		first = false;
		buf_add_percent(&b, segment);
	}
	return buf_ok(&b) ? buf_str(&b) : STR_NONE;
}

/*
 * What the person has asked for and what Apache has made of it (an index, a
 * RewriteRule): both have to be open to them.
 */
static bool
admits(struct ctx *c, struct str path)
{
	struct str target = target_of_path(c, path);
	struct access_answer wanted, served;

	if (str_is_none(target)) {
		page_error(c, 403, MSG_ODD_ADDRESS);
		return false;
	}
	if (!gate_admits(c, c->req->wanted, &wanted) ||
	    !gate_admits(c, target, &served))
		return false;
	if (ctx_signed_in(c) && wanted.activity && served.activity)
		session_touch(c->web->dom, &c->session, c->now_ms);
	return true;
}

/*
 * Strong, by size and time, unless it has changed so lately that it might
 * change again at the same time (RFC 9110 8.8.2.2).
 */
static struct str
tag_of(struct ctx *c, const struct hosted *file)
{
	int64_t age_ms = c->now_ms - file->modified_ns / 1000000;

	return arena_printf(c->arena, 64, "%s\"%" PRIx64 "-%" PRIx64 "\"",
	    age_ms < 2000 ? "W/" : "", file->size,
	    (uint64_t)file->modified_ns);
}

static struct conditional
asked_of(struct ctx *c)
{
	const struct request *req = c->req;
	struct conditional asked = {
		.if_match = request_param(req, STR("HTTP_IF_MATCH")),
		.if_none_match = req->if_none_match,
		.if_modified_since =
		    request_param(req, STR("HTTP_IF_MODIFIED_SINCE")),
		.if_unmodified_since =
		    request_param(req, STR("HTTP_IF_UNMODIFIED_SINCE")),
		.if_range = request_param(req, STR("HTTP_IF_RANGE")),
	};

	if (req->method == METHOD_GET)
		asked.range = request_param(req, STR("HTTP_RANGE"));
	return asked;
}

/* The headers of a file are its own: it is no page of ours. */
static void
add_file_heads(struct ctx *c, const struct representation *is)
{
	char date[CLOCK_HTTP_LEN + 1];

	clock_http(is->modified_s * 1000, date);
	response_header(c->res, "ETag", is->etag);
	response_header(c->res, "Last-Modified", str_from(date));
	response_header(c->res, "Accept-Ranges", STR("bytes"));
	/* For this person alone, and only as long as they may. */
	response_header(c->res, "Cache-Control", STR("private, no-cache"));
	response_header(c->res, "Vary", STR("Cookie"));
	response_header(c->res, "X-Content-Type-Options", STR("nosniff"));
	c->bare = true;
}

static void
add_content_range(struct ctx *c, const struct part *part, uint64_t size)
{
	response_header(c->res, "Content-Range",
	    part == NULL ?
		arena_printf(c->arena, 64, "bytes */%" PRIu64, size) :
		arena_printf(c->arena, 96,
		    "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->from,
		    part->from + part->n - 1, size));
}

/* Answer with the open file, which is closed by the time this returns or
 * the response's. */
static void
send_file(struct ctx *c, const struct hosted *file)
{
	struct conditional asked = asked_of(c);
	struct representation is = { .etag = tag_of(c, file),
		.modified_s = file->modified_ns / 1000000000,
		.size = file->size };
	struct part part;
	unsigned status = conditional_judge(&asked, &is, &part);

	response_reset(c->res, status);
	if (status == 200 || status == 206) {
		response_start(
		    c->res, status, media_type_of_name(file->name));
		response_file(c->res, file->fd, part.from, part.n);
	} else {
		(void)close(file->fd);
	}
	if (status == 206)
		add_content_range(c, &part, file->size);
	else if (status == 416)
		add_content_range(c, NULL, file->size);
	add_file_heads(c, &is);
}

/* "/members" is "/members/": links on its page are relative to that. */
static void
add_slash(struct ctx *c)
{
	struct str path, query, next;
	bool has_query = str_split(c->req->wanted, '?', &path, &query);

	next = url_next_of_target(
	    arena_printf(c->arena, REQUEST_TARGET_MAX + 2, "%.*s/%s%.*s",
		STR_FMT(path), has_query ? "?" : "", STR_FMT(query)),
	    c->arena);
	if (str_is_none(next))
		page_error(c, 404, MSG_NONE);
	else
		response_redirect(c->res, next);
}

static enum dk_err
look(struct ctx *c, struct str path, const char *index, struct hosted *found)
{
	struct str whole = arena_printf(c->arena, 2 * REQUEST_PARAM_MAX,
	    "%.*s%s%s", STR_FMT(path), index[0] != '\0' ? "/" : "", index);

	if (str_is_none(whole))
		return DK_ERR_TOO_LARGE;
	return hosted_path_open(c->arena,
	    request_param(c->req, STR("DOCUMENT_ROOT")), whole,
	    c->web->conf->database, found);
}

static void
answer(struct ctx *c, const struct hosted *found)
{
	switch (found->kind) {
	case HOSTED_FILE:
		send_file(c, found);
		return;
	case HOSTED_SCRIPT:
		refuse(c, 403, script_detail);
		return;
	case HOSTED_OUTSIDE:
		refuse(c, 403, outside_detail);
		return;
	case HOSTED_UNREADABLE:
		refuse(c, 403, unreadable_detail);
		return;
	case HOSTED_NOTHING:
	case HOSTED_DIRECTORY: /* and no index in it: no list either */
		break;
	}
	page_error(c, 404, MSG_NONE);
}

static enum dk_err
find(struct ctx *c, struct str path, bool slash, struct hosted *found)
{
	static const char *const indexes[] = { "index.html", "index.htm",
		"index.php", "index.cgi" };
	enum dk_err err = look(c, path, "", found);
	struct hosted index;
	size_t i;

	if (err == DK_OK && found->kind == HOSTED_FILE && slash) {
		/* "/a.txt/" is something else. */
		(void)close(found->fd);
		found->kind = HOSTED_NOTHING;
	}
	if (err != DK_OK || found->kind != HOSTED_DIRECTORY || !slash)
		return err;
	for (i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		err = look(c, path, indexes[i], &index);
		if (err == DK_OK && index.kind == HOSTED_NOTHING)
			continue;
		*found = index;
		break;
	}
	return err;
}

void
hosted_file(struct ctx *c)
{
	struct str path = request_param(c->req, STR("PATH_INFO"));
	struct str disk = request_param(c->req, STR("PATH_TRANSLATED"));
	bool slash = str_ends(path, STR("/"));
	struct hosted found;
	enum dk_err err;

	/* Before anything is said about what is there. */
	if (!admits(c, path))
		return;
	if (c->req->method != METHOD_GET && c->req->method != METHOD_HEAD) {
		page_error(c, 405, MSG_NONE);
		response_header(c->res, "Allow", STR("GET, HEAD"));
		return;
	}
	err = disk.n == 0 ? DK_ERR_CONF : find(c, disk, slash, &found);
	if (err != DK_OK) {
		LOG_WRITE(c->web->log, LOG_LEVEL_ERROR, "file_unreachable",
		    { "request_id", str_from(c->req->id) },
		    { "path", disk }, { "cause", str_from(err_name(err)) });
		page_fail(c, err);
	} else if (found.kind == HOSTED_DIRECTORY && !slash) {
		add_slash(c);
	} else {
		answer(c, &found);
	}
}
