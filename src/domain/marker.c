#include "domain/marker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha1.h"
#include "store/markers.h"

enum { PLACE_MAX = 80, PLACES_MAX = 1 + 64, SWEEP_STEP = 64 };

/* Where files of one session lie: names of directories. */
struct places {
	char name[PLACES_MAX][PLACE_MAX];
	size_t n;
};

static enum dk_err
complain(struct domain *dom, const char *name, const char *cause)
{
	LOG_WRITE(dom->log, LOG_LEVEL_ERROR, "markers_unusable",
	    { "directory", dom->conf->markers }, { "name", str_from(name) },
	    { "cause", str_from(cause) });
	return DK_ERR_IO;
}

enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/*
 * Open a directory of ours below `at`, made when it is missing.  Others may
 * pass through it, for Apache may be another user, and see no names in it;
 * nobody else may put anything there.
 */
static enum dk_err
make_folder(struct domain *dom, int at, const char *name, int *fd)
{
	bool made = mkdirat(at, name, 0711) == 0;
	struct stat st;

	*fd = openat(at, name, FOLDER_FLAGS);
	if (*fd < 0)
		return complain(dom, name, strerror(errno));
	if (made && fchmod(*fd, 0711) != 0)
		return complain(dom, name, strerror(errno));
	if (fstat(*fd, &st) != 0 || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return complain(dom, name,
		    "must belong to the user that doorkeep runs as, and be "
		    "writable for nobody else (chmod 711)");
	return DK_OK;
}

static void
close_folder(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static enum dk_err
add_place(struct places *p, const char *kind, struct str name)
{
	struct buf b;
	size_t i;

	if (p->n == PLACES_MAX)
		return DK_ERR_TOO_LARGE;
	BUF_OVER(&b, p->name[p->n]);
	buf_addz(&b, kind);
	buf_add(&b, name);
	/* [access] lets no such name in; a path made of one would leave. */
	if (!buf_ok(&b) || str_contains(name, '/'))
		return DK_ERR_INTERNAL;
	for (i = 0; i < p->n; i++)
		if (str_eq(str_from(p->name[i]), buf_str(&b)))
			return DK_OK;
	p->n++;
	return DK_OK;
}

static bool
is_member(const struct group_list *groups, struct str name)
{
	size_t i;

	for (i = 0; i < groups->n; i++)
		if (str_eq(str_from(groups->name[i]), name))
			return true;
	return false;
}

/* any, and what [access] names of this person. */
static enum dk_err
find_places(const struct conf *conf, const struct session *session,
    const struct group_list *groups, struct places *p)
{
	struct str username = str_from(session->view.username);
	enum dk_err err;
	size_t i, k;

	p->n = 0;
	err = add_place(p, "any", STR(""));
	for (i = 0; i < conf->n_rules && err == DK_OK; i++)
		for (k = 0; k < conf->rules[i].n_subjects; k++) {
			const struct conf_subject *s =
			    &conf->rules[i].subjects[k];

			if (s->kind == CONF_SUBJECT_USER &&
			    str_ieq(s->name, username))
				err = add_place(p, "user.", s->name);
			else if (s->kind == CONF_SUBJECT_GROUP &&
			    is_member(groups, s->name))
				err = add_place(p, "group.", s->name);
		}
	return err;
}

/* The file's name. */
static void
name_of(struct str cookie, char name[MARKER_NAME_LEN + 1])
{
	unsigned char hash[SHA1_LEN];
	struct buf b;

	sha1(cookie, hash);
	buf_init(&b, name, MARKER_NAME_LEN + 1);
	buf_add_hex(&b, hash, sizeof(hash));
}

static enum dk_err
new_cookie(const struct session *session, struct marker *marker)
{
	char random[SECRET_TEXT_LEN + 1], end[CLOCK_LOCAL_LEN + 1];
	struct secret secret;
	struct buf b;
	enum dk_err err = secret_new(&secret);

	secret_to_text(&secret, random);
	clock_local_end(session->view.session.expires_at_ms, end);
	BUF_OVER(&b, marker->cookie);
	buf_addf(&b, "%s.%s.%s", random, end, session->view.username);
	secret_wipe(&secret, sizeof(secret));
	secret_wipe(random, sizeof(random));
	return err;
}

/* An empty file: it is there or not, there is no half of it. */
static enum dk_err
make_file(struct domain *dom, int folder, const char *place, const char *name)
{
	int at, fd;
	enum dk_err err = make_folder(dom, folder, place, &at);

	if (err == DK_OK) {
		fd = openat(at, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
		if (fd < 0 || fchmod(fd, 0644) != 0)
			err = complain(dom, place, strerror(errno));
		close_folder(fd);
	}
	close_folder(at);
	return err;
}

/* From one place.  They are gone from the disk, too: what a power cut brought
 * back would let people in who have signed out. */
static enum dk_err
remove_from(struct domain *dom, int at, const char *place,
    char (*names)[MARKER_NAME_LEN + 1], size_t n)
{
	bool removed = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (unlinkat(at, names[i], 0) == 0)
			removed = true;
		else if (errno != ENOENT)
			return complain(dom, place, strerror(errno));
	}
	/* EINVAL: such a file system keeps names without being asked. */
	if (removed && fsync(at) != 0 && errno != EINVAL)
		return complain(dom, place, strerror(errno));
	return DK_OK;
}

/* From every place that there is: those of [access] may be others by now. */
static enum dk_err
remove_files(struct domain *dom, int folder,
    char (*names)[MARKER_NAME_LEN + 1], size_t n)
{
	int again = dup(folder), at;
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	enum dk_err err = DK_OK;
	const struct dirent *e;

	if (dir == NULL) {
		close_folder(again);
		return complain(dom, "", strerror(errno));
	}
	rewinddir(dir);
	while (err == DK_OK && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		at = openat(folder, e->d_name, FOLDER_FLAGS);
		if (at >= 0)
			err = remove_from(dom, at, e->d_name, names, n);
		close_folder(at);
	}
	(void)closedir(dir);
	return err;
}

/* In all places; then: did the session end while they were made? */
static enum dk_err
make_files(struct domain *dom, const struct places *places, struct str id,
    char name[MARKER_NAME_LEN + 1], bool *made)
{
	char owner[UUID_TEXT_LEN + 1];
	int folder;
	enum dk_err err;
	size_t i;

	err = make_folder(dom, AT_FDCWD, dom->conf->markers.p, &folder);
	for (i = 0; i < places->n && err == DK_OK; i++)
		err = make_file(dom, folder, places->name[i], name);
	if (err == DK_OK)
		err = markers_get(dom->db, str_from(name), 0, owner, made);
	*made = *made && str_eq(str_from(owner), id);
	if (folder >= 0 && !*made &&
	    remove_files(dom, folder, (char(*)[MARKER_NAME_LEN + 1])name, 1) !=
		DK_OK)
		err = DK_ERR_IO;
	close_folder(folder);
	return err;
}

enum dk_err
marker_make(struct domain *dom, const struct session *session,
    const struct group_list *groups, struct marker *marker, bool *made)
{
	struct str id = str_from(session->view.session.id);
	char name[MARKER_NAME_LEN + 1];
	struct places places;
	bool added = false;
	enum dk_err err;

	*made = false;
	*marker = (struct marker){ { 0 } };
	err = find_places(dom->conf, session, groups, &places);
	if (err == DK_OK)
		err = new_cookie(session, marker);
	if (err != DK_OK)
		goto out;
	name_of(str_from(marker->cookie), name);
	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = markers_end(dom->db, id);
		if (err == DK_OK)
			err = markers_add(dom->db, str_from(name), id, &added);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	if (err == DK_OK && added)
		err = make_files(dom, &places, id, name, made);
out:
	if (!*made)
		secret_wipe(marker, sizeof(*marker));
	return err;
}

/* END of "RANDOM.END.USERNAME". */
static struct str
end_of(struct str cookie)
{
	struct str random, rest, end, username;

	(void)str_split(cookie, '.', &random, &rest);
	(void)str_split(rest, '.', &end, &username);
	return end;
}

enum dk_err
marker_check(struct domain *dom, const struct session *session,
    const struct group_list *groups, struct str cookie, int64_t now_ms,
    bool *good)
{
	char name[MARKER_NAME_LEN + 1], owner[UUID_TEXT_LEN + 1];
	char path[256], now[CLOCK_LOCAL_LEN + 1];
	struct places places;
	struct buf b;
	enum dk_err err;
	int folder = -1;
	size_t i;

	*good = false;
	name_of(cookie, name);
	clock_local_end(now_ms, now);
	err = find_places(dom->conf, session, groups, &places);
	if (err == DK_OK)
		err = markers_get(dom->db, str_from(name), now_ms, owner, good);
	*good = *good && str_eq(str_from(owner),
			     str_from(session->view.session.id)) &&
	    str_cmp(str_from(now), end_of(cookie)) < 0;
	if (err == DK_OK && *good)
		err =
		    make_folder(dom, AT_FDCWD, dom->conf->markers.p, &folder);
	for (i = 0; i < places.n && err == DK_OK && *good; i++) {
		BUF_OVER(&b, path);
		buf_addf(&b, "%s/%s", places.name[i], name);
		*good = faccessat(folder, buf_z(&b), F_OK,
			    AT_SYMLINK_NOFOLLOW) == 0;
	}
	close_folder(folder);
	if (err != DK_OK)
		*good = false;
	return err;
}

/* Without a directory there are no files; *folder is -1 then. */
static enum dk_err
open_folder(struct domain *dom, int *folder)
{
	*folder = open(dom->conf->markers.p, FOLDER_FLAGS);
	return *folder >= 0 || errno == ENOENT ?
	    DK_OK :
	    complain(dom, "", strerror(errno));
}

enum dk_err
marker_sweep(struct domain *dom, int64_t now_ms)
{
	char names[SWEEP_STEP][MARKER_NAME_LEN + 1];
	int folder = -1;
	enum dk_err err;
	size_t n, i;

	do {
		err = markers_due(dom->db, now_ms, names, SWEEP_STEP, &n);
		if (err == DK_OK && n > 0 && folder < 0)
			err = open_folder(dom, &folder);
		if (err == DK_OK && folder >= 0)
			err = remove_files(dom, folder, names, n);
		for (i = 0; err == DK_OK && i < n; i++)
			err = markers_delete(dom->db, str_from(names[i]));
	} while (err == DK_OK && n == SWEEP_STEP);
	close_folder(folder);
	return err;
}
