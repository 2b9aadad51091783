/*
 * A CGI program that does nothing.  Built twice: bare, and linked with the
 * libraries of doorkeep.fcgi (LINKED), whose start it then pays for.
 */
#include <unistd.h>
#ifdef LINKED
#include <crypt.h>
#include <fcgiapp.h>
#include <jansson.h>
#include <sodium.h>
#include <sqlite3.h>
#include <uuid/uuid.h>

/* Named, so that the linker keeps them. */
const void *const linked[] = { (const void *)crypt_r, (const void *)FCGX_Init,
	(const void *)json_loadb, (const void *)sodium_init,
	(const void *)sqlite3_open_v2, (const void *)uuid_unparse_lower };
#endif

int
main(void)
{
	static const char answer[] = "Status: 204 No Content\r\n\r\n";

	return write(1, answer, sizeof(answer) - 1) < 0;
}
