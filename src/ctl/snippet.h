#ifndef DK_CTL_SNIPPET_H
#define DK_CTL_SNIPPET_H

#include <stdbool.h>

#include "base/str.h"

/*
 * Within src/ctl: the configuration files for web servers that are shipped
 * in apache-conf/ and conf/, with their names filled in.
 */
struct snippet_names {
	struct str program; /* of doorkeep.fcgi */
	struct str config, mount;
	struct str protect; /* "/private", without a slash at the end */
};

/* "apache", "lighttpd", "nginx", "cgi". */
bool snippet_is_known(struct str server);
/* Onto stdout, each file under a line with its name. */
void snippet_print(struct str server, const struct snippet_names *names);

#endif
