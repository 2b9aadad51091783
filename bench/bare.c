/*
 * The limit: a libfcgi program that looks at nothing and says 200.  Threads,
 * so that kept connections do not starve each other; fd 0 is the socket.
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <stddef.h>

enum { THREADS = 32 };

static void *
serve(void *arg)
{
	static const char page[] = "Status: 200 OK\r\n"
				   "Content-Type: text/plain\r\n\r\nok\n";
	static const char yes[] = "Status: 200 OK\r\n"
				  "Variable-REMOTE_USER: bare\r\n\r\n";
	FCGX_Request request;

	(void)arg;
	if (FCGX_InitRequest(&request, 0, 0) != 0)
		return NULL;
	while (FCGX_Accept_r(&request) == 0) {
		if (request.role == 2) /* FCGI_AUTHORIZER */
			(void)FCGX_PutStr(yes, sizeof(yes) - 1, request.out);
		else
			(void)FCGX_PutStr(page, sizeof(page) - 1, request.out);
		FCGX_Finish_r(&request);
	}
	return NULL;
}

int
main(void)
{
	pthread_t thread[THREADS];
	int i;

	if (FCGX_Init() != 0)
		return 1;
	for (i = 1; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, serve, NULL) != 0)
			return 1;
	(void)serve(NULL);
	return 0;
}
