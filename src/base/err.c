#include "base/err.h"

const char *
err_name(enum dk_err err)
{
	switch (err) {
	case DK_OK:
		return "ok";
	case DK_ERR_INPUT:
		return "input";
	case DK_ERR_TOO_LARGE:
		return "too_large";
	case DK_ERR_DENIED:
		return "denied";
	case DK_ERR_CONFLICT:
		return "conflict";
	case DK_ERR_BUSY:
		return "busy";
	case DK_ERR_STORE:
		return "store";
	case DK_ERR_RANDOM:
		return "random";
	case DK_ERR_IO:
		return "io";
	case DK_ERR_CONF:
		return "conf";
	case DK_ERR_NOMEM:
		return "nomem";
	case DK_ERR_INTERNAL:
		break;
	}
	return "internal";
}
