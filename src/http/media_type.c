#include "http/media_type.h"

static const struct {
	const char *end, *type;
} types[] = {
	{ "html", "text/html" },
	{ "htm", "text/html" },
	{ "xhtml", "application/xhtml+xml" },
	{ "css", "text/css" },
	{ "js", "text/javascript" },
	{ "mjs", "text/javascript" },
	{ "json", "application/json" },
	{ "map", "application/json" },
	{ "webmanifest", "application/manifest+json" },
	{ "wasm", "application/wasm" },
	{ "xml", "text/xml" },
	{ "txt", "text/plain" },
	{ "text", "text/plain" },
	{ "log", "text/plain" },
	{ "md", "text/markdown" },
	{ "csv", "text/csv" },
	{ "tsv", "text/tab-separated-values" },
	{ "ics", "text/calendar" },
	{ "vcf", "text/vcard" },
	{ "vtt", "text/vtt" },
	{ "png", "image/png" },
	{ "jpg", "image/jpeg" },
	{ "jpeg", "image/jpeg" },
	{ "gif", "image/gif" },
	{ "webp", "image/webp" },
	{ "avif", "image/avif" },
	{ "svg", "image/svg+xml" },
	{ "ico", "image/vnd.microsoft.icon" },
	{ "bmp", "image/bmp" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "heic", "image/heic" },
	{ "mp3", "audio/mpeg" },
	{ "m4a", "audio/mp4" },
	{ "ogg", "audio/ogg" },
	{ "oga", "audio/ogg" },
	{ "opus", "audio/ogg" },
	{ "flac", "audio/flac" },
	{ "wav", "audio/wav" },
	{ "mp4", "video/mp4" },
	{ "m4v", "video/mp4" },
	{ "webm", "video/webm" },
	{ "ogv", "video/ogg" },
	{ "mov", "video/quicktime" },
	{ "mkv", "video/matroska" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "ttf", "font/ttf" },
	{ "otf", "font/otf" },
	{ "pdf", "application/pdf" },
	{ "epub", "application/epub+zip" },
	{ "rtf", "application/rtf" },
	{ "zip", "application/zip" },
	{ "gz", "application/gzip" },
	{ "tgz", "application/gzip" },
	{ "bz2", "application/x-bzip2" },
	{ "xz", "application/x-xz" },
	{ "zst", "application/zstd" },
	{ "7z", "application/x-7z-compressed" },
	{ "tar", "application/x-tar" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" },
	{ "doc", "application/msword" },
	{ "xls", "application/vnd.ms-excel" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "docx", "application/vnd.openxmlformats-officedocument."
		  "wordprocessingml.document" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument."
		  "spreadsheetml.sheet" },
	{ "pptx", "application/vnd.openxmlformats-officedocument."
		  "presentationml.presentation" },
};

/* What hosts give to an interpreter, and what those read beside it. */
static const char *const scripts[] = { "php", "php3", "php4", "php5", "php6",
	"php7", "php8", "phps", "phtml", "pht", "phar", "inc", "cgi", "fcgi",
	"pl", "plx", "ppl", "perl", "py", "rb", "lua", "shtml", "asp", "aspx",
	"jsp" };

struct str
media_type_of_name(struct str name)
{
	struct str end = STR_NONE, rest = name, part;
	size_t i;

	while (str_cut(&rest, '.', &part))
		end = part;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (end.n < name.n && str_ieq(end, str_from(types[i].end)))
			return str_from(types[i].type);
	return STR("application/octet-stream");
}

static bool
is_script_end(struct str part)
{
	size_t i;

	for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (str_ieq(part, str_from(scripts[i])))
			return true;
	return false;
}

bool
media_type_is_script(struct str name)
{
	struct str part;

	while (str_ends(name, STR("~")))
		name.n--;
	(void)str_cut(&name, '.', &part); /* the name itself */
	while (str_cut(&name, '.', &part))
		if (is_script_end(part))
			return true;
	return false;
}
