#include "base/jw.h"

void
jw_open(struct jw *w, struct buf *out)
{
	*w = (struct jw){ .out = out };
	w->first[0] = true;
}

/* A comma if one is due, then the member's name. */
static void
begin_value(struct jw *w, const char *key)
{
	if (!w->first[w->depth])
		buf_addc(w->out, ',');
	w->first[w->depth] = false;
	if (key != NULL) {
		buf_add_json(w->out, str_from(key));
		buf_addc(w->out, ':');
	}
}

static void
nest(struct jw *w, const char *key, char open, char close)
{
	begin_value(w, key);
	buf_addc(w->out, open);
	if (w->depth == JW_DEPTH_MAX) {
		w->out->overflow = true;
		return;
	}
	w->depth++;
	w->first[w->depth] = true;
	w->close[w->depth] = close;
}

void
jw_object(struct jw *w, const char *key)
{
	nest(w, key, '{', '}');
}

void
jw_array(struct jw *w, const char *key)
{
	nest(w, key, '[', ']');
}

void
jw_end(struct jw *w)
{
	if (w->depth == 0)
		return;
	buf_addc(w->out, w->close[w->depth]);
	w->depth--;
}

void
jw_str(struct jw *w, const char *key, struct str s)
{
	begin_value(w, key);
	buf_add_json(w->out, s);
}

void
jw_int(struct jw *w, const char *key, long long n)
{
	begin_value(w, key);
	buf_addf(w->out, "%lld", n);
}

void
jw_bool(struct jw *w, const char *key, bool b)
{
	begin_value(w, key);
	buf_addz(w->out, b ? "true" : "false");
}

void
jw_null(struct jw *w, const char *key)
{
	begin_value(w, key);
	buf_addz(w->out, "null");
}
