#ifndef DK_CTL_SNIPPET_H
#define DK_CTL_SNIPPET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/*
 * Within src/ctl: the configuration files for web servers that are shipped
 * in apache-conf/ and conf/, with their names filled in.
 */
enum { SNIPPET_PATH_MAX = 256 };

struct snippet_names {
	struct str program; /* of doorkeep.fcgi */
	struct str config;
	struct str mount;	   /* "" for the root */
	const struct str *protect; /* at least one; snippet_can_protect */
	size_t n_protect;
	/* The server's own locations guard the paths (nginx): none are made. */
	bool in_place;
};

/* "apache", "lighttpd", "nginx", "cgi". */
bool snippet_is_known(struct str server);
/* A path that means the same to each server: a letter, a digit or one of
 * -._~+@,=/ and whatever is not ASCII. */
bool snippet_can_protect(struct str path);
/* Whether the server can guard "/" and leave doorkeep's own pages open:
 * lighttpd would ask its authorizer for those, too. */
bool snippet_can_protect_all(struct str server);
/*
 * Onto stdout: for "cgi", a shared hosting account, whole .htaccess files, and
 * mount is the URL of the program; else lines that are a part of the server's
 * configuration as they stand.  "/" guards everything, whatever else is in the
 * list.
 */
void snippet_print(struct str server, const struct snippet_names *names);

#endif
