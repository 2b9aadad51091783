/*
 * libfcgi as its manual shows it, for odd.py: what happens without a fence.
 * Each request that is run is named on stderr.
 */
#include <fcgiapp.h>
#include <stdio.h>

int
main(void)
{
	FCGX_Request r;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&r, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&r) == 0) {
		const char *uri = FCGX_GetParam("REQUEST_URI", r.envp);

		(void)fprintf(stderr, "RAN %s\n", uri == NULL ? "" : uri);
		(void)FCGX_FPrintF(r.out,
		    "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n%s",
		    uri == NULL ? "" : uri);
		FCGX_Finish_r(&r);
	}
	return 0;
}
