#include "gateway/ahead.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* FastCGI 1.0, section 8. */
enum {
	FCGI_HEADER_LEN = 8,
	FCGI_VERSION_1 = 1,
	FCGI_NULL_REQUEST_ID = 0,
	FCGI_BEGIN_REQUEST = 1,
	FCGI_BEGIN_BODY_LEN = 8,
	FCGI_PARAMS = 4
};

/* Most heads are shorter, and come at once. */
enum { FIRST_LOOK = 8 * 1024 };

struct record {
	unsigned type, id, padding;
	size_t length;
};

static struct record
read_header(const unsigned char *p)
{
	return (struct record){ .type = p[1],
		.id = (unsigned)p[2] << 8 | p[3],
		.length = (size_t)p[4] << 8 | p[5],
		.padding = p[6] };
}

/* Reads what the PARAMS records hold, across their borders. */
struct cursor {
	const unsigned char *p; /* the next byte */
	size_t in_record;	/* left of this record's content */
	unsigned padding;	/* that follows it */
	size_t left;		/* of all content */
};

static void
skip(struct cursor *c, size_t n)
{
	c->left -= n;
	while (n > 0) {
		size_t step = n < c->in_record ? n : c->in_record;

		c->p += step;
		c->in_record -= step;
		n -= step;
		if (c->in_record == 0 && c->left + n > 0) {
			struct record r = read_header(c->p + c->padding);

			c->p += c->padding + FCGI_HEADER_LEN;
			c->in_record = r.length;
			c->padding = r.padding;
		}
	}
}

/* A length in one byte or in four (FastCGI 3.4); false: there is none. */
static bool
take_length(struct cursor *c, size_t *length)
{
	size_t more;

	if (c->left == 0)
		return false;
	*length = *c->p;
	more = *length < 0x80 ? 0 : 3;
	*length &= 0x7f;
	skip(c, 1);
	if (c->left < more)
		return false;
	for (; more > 0; more--) {
		*length = *length << 8 | *c->p;
		skip(c, 1);
	}
	return true;
}

static bool
pairs_are_sound(struct cursor c)
{
	size_t name, value;

	while (c.left > 0) {
		if (!take_length(&c, &name) || !take_length(&c, &value) ||
		    name > c.left || value > c.left - name)
			return false;
		skip(&c, name + value);
	}
	return true;
}

/* The header at *at, if all of the record is there; *at goes behind it. */
static enum ahead_state
next_record(const unsigned char *p, size_t n, size_t *at, struct record *r)
{
	size_t end = *at + FCGI_HEADER_LEN;

	if (n >= end) {
		*r = read_header(p + *at);
		if (p[*at] != FCGI_VERSION_1 || r->id == FCGI_NULL_REQUEST_ID)
			return AHEAD_BAD;
		end += r->length + r->padding;
	}
	*at = end;
	return n >= end ? AHEAD_WHOLE : AHEAD_MORE;
}

enum ahead_state
ahead_judge(const unsigned char *p, size_t n, size_t *need)
{
	struct cursor c = { NULL, 0, 0, 0 };
	enum ahead_state state;
	struct record begin, r;

	*need = 0;
	state = next_record(p, n, need, &begin);
	if (state != AHEAD_WHOLE)
		return state;
	if (begin.type != FCGI_BEGIN_REQUEST ||
	    begin.length != FCGI_BEGIN_BODY_LEN)
		return AHEAD_BAD;
	do {
		size_t at = *need;

		state = next_record(p, n, need, &r);
		if (state != AHEAD_WHOLE)
			return state;
		if (r.type != FCGI_PARAMS || r.id != begin.id)
			return AHEAD_BAD;
		if (c.p == NULL)
			c = (struct cursor){ p + at + FCGI_HEADER_LEN, r.length,
				r.padding, 0 };
		c.left += r.length;
	} while (r.length > 0);
	return pairs_are_sound(c) ? AHEAD_WHOLE : AHEAD_BAD;
}

static bool
has_ended(int fd)
{
	struct pollfd p = { fd, POLLRDHUP, 0 };

	return poll(&p, 1, 0) > 0;
}

/* Until n bytes are there: how many are, which is less at the end alone. */
static size_t
look(int fd, unsigned char *room, size_t n)
{
	bool ended = false;
	ssize_t got;

	for (;;) {
		got = recv(fd, room, n, MSG_PEEK | MSG_WAITALL);
		if (got >= (ssize_t)n || (got < 0 && errno != EINTR))
			break;
		/* Fewer: a signal came, or the end.  What came just before
		 * the end is looked at once more. */
		if (ended)
			break;
		ended = has_ended(fd);
	}
	return got < 0 ? 0 : (size_t)got;
}

bool
ahead_is_sound(int fd, struct arena *arena)
{
	unsigned char first[FIRST_LOOK], *room = first;
	ssize_t got = recv(fd, first, sizeof(first), MSG_PEEK | MSG_DONTWAIT);
	size_t n = got < 0 ? 0 : (size_t)got, need = 0;
	enum ahead_state state = ahead_judge(first, n, &need);

	while (state == AHEAD_MORE && need <= AHEAD_MAX) {
		if (need > sizeof(first) && room == first)
			room = arena_alloc(arena, AHEAD_MAX);
		if (room == NULL)
			break;
		n = look(fd, room, need);
		if (n < need)
			break;
		state = ahead_judge(room, n, &need);
	}
	return state == AHEAD_WHOLE;
}
