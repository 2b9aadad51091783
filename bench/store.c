/*
 * The limit with a store: bare.c, and one question to SQLite a request, the
 * one that tells whose session a cookie names.  What doorkeep does beyond it
 * is its own.  As CGI it opens the file, asks once and ends.  fd 0 is the
 * socket; STORE is the file, QUERY the statement, with one parameter.
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 32, ID_LEN = 36 };

static const char yes[] = "Status: 200 OK\r\nContent-Type: text/plain\r\n"
			  "Variable-REMOTE_USER: bare\r\n\r\n";
static const char no[] = "Status: 401 Unauthorized\r\n\r\n";

static sqlite3_stmt *
prepare(sqlite3 **db)
{
	const char *file = getenv("STORE"), *sql = getenv("QUERY");
	sqlite3_stmt *query = NULL;

	if (file == NULL || sql == NULL ||
	    sqlite3_open_v2(file, db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK ||
	    sqlite3_exec(*db, "PRAGMA mmap_size = 268435456", NULL, NULL,
		NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(*db, sql, -1, &query, NULL) != SQLITE_OK)
		return NULL;
	return query;
}

/* The cookie's value begins with the session's UUID. */
static const char *
answer(sqlite3_stmt *query, const char *cookie)
{
	const char *id = cookie == NULL ? NULL : strchr(cookie, '=');
	int rc;

	if (id == NULL || strlen(id + 1) < ID_LEN)
		return no;
	(void)sqlite3_bind_text(query, 1, id + 1, ID_LEN, SQLITE_STATIC);
	rc = sqlite3_step(query);
	(void)sqlite3_reset(query);
	return rc == SQLITE_ROW ? yes : no;
}

static void *
serve(void *arg)
{
	FCGX_Request request;
	sqlite3 *db = NULL;
	sqlite3_stmt *query = prepare(&db);
	const char *text;

	(void)arg;
	if (query == NULL || FCGX_InitRequest(&request, 0, 0) != 0)
		exit(1);
	while (FCGX_Accept_r(&request) == 0) {
		text =
		    answer(query, FCGX_GetParam("HTTP_COOKIE", request.envp));
		(void)FCGX_PutStr(text, (int)strlen(text), request.out);
		FCGX_Finish_r(&request);
	}
	return NULL;
}

static int
serve_cgi(void)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *query = prepare(&db);
	const char *text;

	if (query == NULL)
		return 1;
	text = answer(query, getenv("HTTP_COOKIE"));
	(void)sqlite3_finalize(query);
	(void)sqlite3_close(db);
	return text != yes || write(1, text, strlen(text)) < 0;
}

int
main(void)
{
	pthread_t thread[THREADS];
	int i;

	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (getenv("GATEWAY_INTERFACE") != NULL)
		return serve_cgi();
	if (FCGX_Init() != 0)
		return 1;
	for (i = 1; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, serve, NULL) != 0)
			return 1;
	(void)serve(NULL);
	return 0;
}
