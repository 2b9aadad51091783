#include "base/nfc.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/secret.h"

/* As uninorm.h declares it: a form is an opaque constant. */
typedef uint8_t *normalize_fn(const void *form, const uint8_t *text, size_t n,
    uint8_t *result, size_t *len);

struct library {
	normalize_fn *normalize;
	const void *form;
};

static void *
open_library(void)
{
	static const char *const names[] = { "libunistring.so.5",
		"libunistring.so.2" };
	void *handle = NULL;
	size_t i;

	/* dlopen counts: a second call finds the first one's library. */
	for (i = 0; handle == NULL && i < 2; i++)
		handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	return handle;
}

void
nfc_prepare(void)
{
	/* static(cppcheck): it stays loaded until the process ends */
	(void)open_library();
}

static bool
load(struct library *lib)
{
	void *handle = open_library();

	if (handle == NULL)
		return false;
	/* POSIX lets dlsym give a function's address as data. */
	*(void **)&lib->normalize = dlsym(handle, "u8_normalize");
	lib->form = dlsym(handle, "uninorm_nfc");
	return lib->normalize != NULL && lib->form != NULL;
}

static bool
is_ascii(struct str text)
{
	size_t i;

	for (i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	return true;
}

bool
nfc_add(struct buf *out, struct str text)
{
	struct library lib;
	uint8_t room[4096], *made = NULL;
	size_t n = sizeof(room);

	if (!is_ascii(text) && str_is_utf8(text) &&
	    text.n * NFC_GROWTH_MAX <= sizeof(room) && load(&lib))
		made = lib.normalize(
		    lib.form, (const uint8_t *)text.p, text.n, room, &n);
	buf_add(
	    out, made == room ? (struct str){ (const char *)room, n } : text);
	if (made != NULL && made != room)
		free(made);
	secret_wipe(room, sizeof(room));
	return made == room || is_ascii(text);
}
