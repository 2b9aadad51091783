/* Basic authentication as web servers write it: who may see what comes out,
 * and what is not understood is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ctl/adopt.h"

#define APACHE                                    \
	"DocumentRoot /srv/www\nAuthType Basic\n" \
	"AuthUserFile /etc/htpasswd\n"
#define NGINX "auth_basic_user_file /etc/htpasswd;"
#define LIGHTTPD                        \
	"auth.backend = \"htpasswd\"\n" \
	"auth.backend.htpasswd.userfile = \"/etc/htpasswd\"\n"
#define FIELDS "\"method\" => \"basic\", \"realm\" => \"x\", \"require\" => "

/* text, and its rules; or, with a '!', a piece of the message. */
static const struct {
	const char *text, *rules;
} rows[] = {
	/* Apache: sections become paths. */
	{ APACHE "<Location /a>\nRequire valid-user\n</Location>", "/a any\n" },
	{ APACHE "<Directory \"/srv/www/a b/\">\n  require VALID-USER\n"
		 "</Directory>\r\n",
	    "/a b/ any\n" },
	{ APACHE "<Directory /srv/www>\nRequire user ann 'bob'\n"
		 "Require group x\n</Directory>",
	    "/ user:ann, user:bob, group:x\n" },
	{ "<VirtualHost *:80>\n" APACHE "<IfModule x>\nRequire valid-user\n"
	  "</IfModule>\n</VirtualHost>",
	    "/ any\n" },
	{ APACHE "<Location /a>\n<RequireAny>\nRequire user u\n"
		 "Require group g\n</RequireAny>\n</Location>",
	    "/a user:u, group:g\n" },
	{ APACHE "Alias /docs /opt/docs\n<Directory /opt/docs>\n"
		 "Require valid-user\n</Directory>",
	    "/docs any\n" },
	/* The longer path first; open and closed places within it too. */
	{ APACHE "<Location /a>\nRequire valid-user\n</Location>\n"
		 "<Directory /srv/www/a/open>\nRequire all granted\n"
		 "</Directory>\n<Location /a/no>\nRequire all denied\n"
		 "</Location>\n<Directory /srv/www>\nRequire all granted\n"
		 "</Directory>\n<Directory />\nRequire all denied\n"
		 "</Directory>",
	    "/a/no deny\n/a any\n" },
	{ APACHE "<Directory /srv/www/a>\nRequire valid-user\n</Directory>\n"
		 "<Directory /srv/www/a/open>\nRequire all granted\n"
		 "</Directory>\n<Location /a/open/b>\nRequire all denied\n"
		 "</Location>\n",
	    "/a/open/b deny\n/a/open public\n/a any\n" },
	{ APACHE "<Directory /srv/www/a>\nRequire valid-user\n</Directory>\n"
		 "<Directory /srv/www/ab>\nRequire all granted\n</Directory>",
	    "/a any\n" },
	{ APACHE "<Directory /srv/www/a/b>\nRequire valid-user\n"
		 "</Directory>\n<Location /a>\nRequire all granted\n"
		 "</Location>",
	    "/a/b any\n" },
	/* What Apache reads later takes the place of what was before it. */
	{ APACHE "<Location /a/open>\nRequire all granted\n</Location>\n"
		 "<Location /a>\nRequire user u\n</Location>",
	    "/a user:u\n" },
	{ APACHE "<Location />\nRequire group g\n</Location>\n"
		 "<Directory /srv/www>\nRequire all granted\n</Directory>\n"
		 "<Directory /srv/www/a>\nRequire valid-user\n</Directory>\n"
		 "<Directory /srv/www/b>\nRequire ip ::1\n</Directory>",
	    "/ group:g\n" },
	{ APACHE "<Location /a>\nRequire all granted\nRequire user u\n"
		 "</Location>",
	    "/a public\n" },
	/* Apache: what is refused. */
	{ APACHE "<Location /a>\nRequire valid-user\nRequire ip 10.0.0.0/8\n"
		 "</Location>",
	    "!f:6: this condition" },
	{ APACHE "<Location /a>\nRequire valid-user\n</Location>\n"
		 "<Location /a/b>\nRequire ip 10.0.0.1\n</Location>",
	    "!f:8: this condition beside or below" },
	{ APACHE "<LocationMatch ^/a>\nRequire valid-user\n</LocationMatch>",
	    "!f:5: a password within <LocationMatch>" },
	{ APACHE "<Location /a>\n<Limit GET>\nRequire user u\n</Limit>\n"
		 "</Location>",
	    "!f:6: a password within <Limit>" },
	{ APACHE "<Location /a>\n<RequireAll>\nRequire group g\n"
		 "</RequireAll>\n</Location>",
	    "!f:6: a password within <RequireAll>" },
	{ APACHE "<Directory /srv/*/a>\nRequire valid-user\n</Directory>",
	    "!f:5: a password within <Directory>" },
	{ APACHE "<Directory /home/x>\nRequire valid-user\n</Directory>",
	    "!f:5: /home/x: which URL" },
	{ APACHE "<Directory /srv/www2>\nRequire valid-user\n</Directory>",
	    "!f:5: /srv/www2: which URL" },
	{ APACHE "<Location /a>\nSatisfy Any\nRequire valid-user\n</Location>",
	    "!f:5: Satisfy Any" },
	{ APACHE "<Location /a>\nAuthType Digest\nRequire valid-user\n"
		 "</Location>",
	    "!f:5: AuthType Digest" },
	{ APACHE "AuthBasicProvider ldap\nRequire valid-user\n",
	    "!f:4: only passwords in a file" },
	{ APACHE "AuthBasicProvider file ldap\nRequire valid-user\n",
	    "!f:4: only passwords in a file" },
	{ APACHE "AuthLDAPURL x\n", "!f:4: AuthLDAPURL" },
	{ APACHE "AuthUserFile /etc/other\nRequire valid-user\n",
	    "!f:4: another file than in line 3" },
	{ "AuthUserFile htpasswd\n", "!f:1: \"htpasswd\": write the full" },
	{ "AuthType Basic\n<Location /a>\nRequire valid-user\n</Location>",
	    "!f:3: the file with the passwords" },
	{ APACHE "<Location /a>\nRequire valid-user\n", "!f:4: <Location>" },
	{ APACHE "</Location>\n", "!f:4: </Location> closes nothing" },
	{ APACHE "Require user \\\nann\n", "!f:4: write this in one line" },
	{ APACHE "Require user\n", "!f:4: Require with no names" },
	{ APACHE "<Location /a>\nRequire valid-user\n</Location>\n"
		 "<Directory /srv/www/a>\nRequire user u\n</Directory>",
	    "/a any\n" },
	{ APACHE "<Location /a>\nRequire valid-user\n</Location>\n"
		 "VirtualDocumentRoot /x\nRequire user u\n</VirtualHost>",
	    "!f:9: </VirtualHost> closes nothing" },
	{ APACHE "Require user u\n<Directory /srv/www>\nRequire valid-user\n"
		 "</Directory>",
	    "!f:4: / has a rule already, from line 6" },
	{ APACHE "<Location /a>\nAuthType Basic\nRequire expr x\n"
		 "</Location>",
	    "!f:6: this condition beside AuthType" },
	{ APACHE, "!f:1: no path in it asks" },
	{ "Listen 80\n", "!f:1: says nothing about Basic" },
	{ "# AuthType Basic\n", "!f:1: says nothing about Basic" },

	/* nginx */
	{ "server { location /a/ { auth_basic \"x { y\"; " NGINX " } }",
	    "/a/ any\n" },
	{ "http { server { " NGINX " auth_basic x; location ^~ /open {\n"
	  "auth_basic off; } location ~ \\.php$ { fastcgi_pass a; } } }",
	    "/open public\n/ any\n" },
	{ NGINX "location = /a { auth_basic 'x'; } # } location {\n"
		"location /b { allow 10.0.0.1; deny all; set $x ${y}z; }",
	    "/a any\n" },
	{ NGINX "location ~ ^/a { auth_basic x; }",
	    "!f:1: a password within location" },
	{ NGINX "location /a { limit_except GET { auth_basic x; } }",
	    "!f:1: a password within limit_except" },
	{ NGINX "location ~ x { location /a { auth_basic x; } }", "/a any\n" },
	{ NGINX "location ~ x { if ($y) {\nauth_basic x; } }",
	    "!f:2: a password within if" },
	{ NGINX "\nauth_basic $realm;", "!f:2: auth_basic with a variable" },
	{ NGINX "satisfy any; auth_basic x;", "!f:1: satisfy any" },
	{ "auth_basic x;\nauth_basic_user_file conf/htpasswd;",
	    "!f:2: \"conf/htpasswd\": write the full" },
	{ "auth_basic x;\nauth_basic_user_file /etc/$host;", "!f:2: " },
	{ NGINX "location /a {\nauth_basic x;", "!f:1: { is not closed" },
	{ NGINX "auth_basic x }", "!f:1: no ; at the end" },
	{ NGINX "auth_basic x;\nlocation = /a { auth_basic off; }",
	    "!f:2: one open page" },
	{ NGINX "auth_basic x; }", "!f:1: } closes nothing" },
	{ NGINX "location /a { auth_basic x; }\nlocation /a/ {auth_basic y;}",
	    "!f:2: /a has a rule already" },

	/* lighttpd */
	{ LIGHTTPD "auth.require = ( \"/a/\" => ( " FIELDS "\"valid-user\" ) )",
	    "/a/ any\n" },
	{ LIGHTTPD "auth.require += (\n\t\"/a/b\" =>\n\t(\n" FIELDS
		   "\"valid-user\" ), # )\n"
		   "\"/a\" => (" FIELDS "\"user=ann|user=bob|group=g\",), )\n",
	    "/a/b any\n/a user:ann, user:bob, group:g\n" },
	{ LIGHTTPD
	    "$HTTP[\"url\"] =~ \"^/a/\" {\n auth.require = ( \"\" => (" FIELDS
	    "\"valid-user\" ) )\n}\n",
	    "/a/ any\n" },
	{ LIGHTTPD
	    "$HTTP[\"host\"] == \"h\" { auth.require = ( \"/a\" => (" FIELDS
	    "\"valid-user\" ) ) }\n",
	    "/a any\n" },
	{ LIGHTTPD
	    "$HTTP[\"url\"] =~ \"[.]pdf$\" {\n auth.require = (\"\" =>(" FIELDS
	    "\"valid-user\" ) )\n}\n",
	    "!f:4: auth.require under this condition" },
	{ LIGHTTPD
	    "$HTTP[\"url\"] !~ \"^/a\" {\n auth.require = (\"\" => (" FIELDS
	    "\"valid-user\" ) )\n}\n",
	    "!f:4: auth.require under this condition" },
	{ LIGHTTPD "$HTTP[\"url\"] =~ \"^/a\" {\n} else {\n"
		   "auth.require = (\"\" => (" FIELDS "\"valid-user\" ) )\n}\n",
	    "!f:5: auth.require under this condition" },
	{ LIGHTTPD "auth.require = ( \"/a\" => ( " FIELDS "\"user=u\" ),\n"
		   "\"/ab/\" => ( " FIELDS "\"valid-user\" ) )",
	    "!f:3: /ab/ stands behind /a" },
	{ LIGHTTPD "auth.require = ( \"/a\" => ( \"method\" => \"digest\", "
		   "\"require\" => \"valid-user\" ) )",
	    "!f:3: method digest" },
	{ LIGHTTPD "auth.require = ( \"/a\" => ( " FIELDS "\"host=x\" ) )",
	    "!f:3: \"host=x\"" },
	{ LIGHTTPD "auth.require = ( \"/a\" => ( " FIELDS
		   "\"valid-user\" ) ) + x",
	    "!f:3: what stands behind" },
	{ LIGHTTPD "auth.require = var.x\n", "!f:3: auth.require is too long" },
	{ "auth.backend = \"ldap\"\n", "!f:1: only passwords in a file" },
	{ LIGHTTPD "auth.backend.plain.userfile = \"/x\"\n",
	    "!f:3: auth.backend.plain.userfile" },
	{ LIGHTTPD "auth.require = ( \"/a\" => (\n", "!f:3: ( is not closed" },
	{ LIGHTTPD "}\n", "!f:3: } closes nothing" },
};

static void
says_who_may_see_what_or_which_line_is_not_understood(void **state)
{
	static struct adopt a;
	char message_text[1024], rules_text[4096];
	struct buf message, rules;
	enum dk_err err;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		BUF_OVER(&message, message_text);
		BUF_OVER(&rules, rules_text);
		err = adopt_read(&a, STR("f"), str_from(rows[i].text), STR_NONE,
		    STR_NONE, &message);
		if (rows[i].rules[0] == '!') {
			if (err != DK_ERR_CONF ||
			    strstr(buf_z(&message), rows[i].rules + 1) !=
				buf_z(&message))
				fail_msg("%s\nis \"%s\", not \"%s\"",
				    rows[i].text, buf_z(&message),
				    rows[i].rules + 1);
			continue;
		}
		if (err != DK_OK)
			fail_msg("%s\n%s", rows[i].text, buf_z(&message));
		for (j = 0; j < a.n_areas; j++) {
			buf_add(&rules, a.areas[j].path);
			buf_addc(&rules, ' ');
			adopt_add_requirement(&a.areas[j], &rules);
			buf_addc(&rules, '\n');
		}
		assert_string_equal(buf_z(&rules), rows[i].rules);
		assert_true(str_eq(a.users_file, STR("/etc/htpasswd")));
	}
}

/* The directory of a .htaccess and of the site come from outside. */
static void
finds_the_path_of_a_htaccess(void **state)
{
	static struct adopt a;
	char text[1024];
	struct buf message;
	struct str file = STR("AuthType Basic\nAuthName x\n"
			      "AuthUserFile /u\nRequire valid-user\n"
			      "<FilesMatch x>\nRequire all denied\n"
			      "</FilesMatch>\n");

	(void)state;
	BUF_OVER(&message, text);
	assert_int_equal(adopt_read(&a, STR("f"), file, STR("/srv/www/"),
			     STR("/srv/www/a/b"), &message),
	    DK_OK);
	assert_int_equal(a.n_areas, 1);
	assert_true(str_eq(a.areas[0].path, STR("/a/b")));
	assert_int_equal(a.n_spans, 4);
	assert_int_equal(a.spans[3].from, 4);
	assert_int_equal(adopt_read(&a, STR("f"), file, STR_NONE,
			     STR("/srv/www/a/b"), &message),
	    DK_ERR_CONF);
	assert_non_null(strstr(buf_z(&message), "--document-root"));
}

static void
marks_the_lines_that_are_replaced(void **state)
{
	static struct adopt a;
	char text[1024];
	struct buf message;

	(void)state;
	BUF_OVER(&message, text);
	assert_int_equal(
	    adopt_read(&a, STR("f"),
		STR("server {\n\n" NGINX "\n auth_basic\n  x;\nlocation /o "
		    "{\n auth_basic off; } }"),
		STR_NONE, STR_NONE, &message),
	    DK_OK);
	assert_int_equal(a.n_spans, 3);
	assert_int_equal(a.spans[0].from, 3);
	assert_false(a.spans[0].guards);
	assert_int_equal(a.spans[1].from, 4);
	assert_int_equal(a.spans[1].to, 5);
	assert_true(a.spans[1].guards);
	assert_int_equal(a.spans[2].from, 7);
	assert_false(a.spans[2].guards);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    says_who_may_see_what_or_which_line_is_not_understood),
		cmocka_unit_test(finds_the_path_of_a_htaccess),
		cmocka_unit_test(marks_the_lines_that_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
