#ifndef DK_BASE_ERR_H
#define DK_BASE_ERR_H

/*
 * The one set of errors.  A function that can fail returns one of these and
 * is DK_CHECK; "no such row" and "wrong password" are not errors but answers
 * in an out parameter.  status_of() of web/page_error.c maps them to
 * HTTP.
 */
enum dk_err {
	DK_OK = 0,
	DK_ERR_INPUT,	 /* what came from outside is malformed */
	DK_ERR_TOO_LARGE, /* a named maximum was passed */
	DK_ERR_DENIED,	 /* whoever asks may not do this */
	DK_ERR_CONFLICT, /* a unique name exists already */
	DK_ERR_BUSY,	 /* a bounded wait ran out: store lock, hash slot */
	DK_ERR_STORE,	 /* the store does not answer, or answers wrongly */
	DK_ERR_RANDOM,	 /* the kernel gives no strong randomness */
	DK_ERR_IO,	 /* a file, socket or stream failed */
	DK_ERR_CONF,	 /* the configuration does not allow it */
	DK_ERR_NOMEM,	 /* bounded memory is used up */
	DK_ERR_INTERNAL	 /* an invariant does not hold */
};

#define DK_CHECK __attribute__((__warn_unused_result__))
#define DK_PRINTF(fmt, args) __attribute__((__format__(__printf__, fmt, args)))

/* A short lower-case word for logs, e.g. "store".  Static; never NULL. */
const char *err_name(enum dk_err err);

#endif
