-- What makes accounts hold: counters of guesses, known browsers, one-use
-- links, second factors.

-- Values that the program makes for itself, such as the key that hides names
-- in `throttle`.
CREATE TABLE settings (
	name  TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Guesses counted (see the manual, "Limits").  The bucket is a keyed hash, so
-- the table shows neither names nor addresses; `owner` is the bucket of the
-- account that a row belongs to.
CREATE TABLE throttle (
	bucket   BLOB NOT NULL PRIMARY KEY CHECK (length(bucket) = 16),
	owner    BLOB NOT NULL CHECK (length(owner) = 16),
	failures INTEGER NOT NULL CHECK (failures >= 0),
	last_at  INTEGER NOT NULL,  -- the last counted guess
	next_at  INTEGER NOT NULL   -- no guess is checked before
) STRICT, WITHOUT ROWID;
CREATE INDEX throttle_owner ON throttle (owner);
CREATE INDEX throttle_last_at ON throttle (last_at);

-- Browsers in which a person has signed in: they keep their way open while
-- strangers guess.  The hash of the value of their cookie.
CREATE TABLE devices (
	token_hash   BLOB NOT NULL CHECK (length(token_hash) = 32),
	user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at   INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL,
	PRIMARY KEY (token_hash, user_id)  -- two people, one browser
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_user_id ON devices (user_id);

-- One-use links to set a password; one per account.
CREATE TABLE one_use_links (
	user_id    INTEGER NOT NULL PRIMARY KEY
	           REFERENCES users (id) ON DELETE CASCADE,
	token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT;

-- Second factors (TOTP, RFC 6238).  The seed is encrypted with a key that
-- lies in a file outside the database, bound to the user's id.
CREATE TABLE second_factors (
	user_id      INTEGER NOT NULL PRIMARY KEY
	             REFERENCES users (id) ON DELETE CASCADE,
	seed         BLOB NOT NULL,
	confirmed_at INTEGER,            -- NULL: enrolment not complete
	last_step    INTEGER NOT NULL    -- a code of this step or before is used up
) STRICT;
CREATE TABLE recovery_codes (
	user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
	PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;

-- The plain sqlite3 shell has foreign keys off: what belongs to a user goes
-- with the user all the same.
CREATE TRIGGER users_delete_accounts AFTER DELETE ON users
BEGIN
	DELETE FROM devices WHERE user_id = OLD.id;
	DELETE FROM one_use_links WHERE user_id = OLD.id;
	DELETE FROM second_factors WHERE user_id = OLD.id;
	DELETE FROM recovery_codes WHERE user_id = OLD.id;
END;

-- The password is shorter than those without a second factor have to be.
ALTER TABLE users ADD COLUMN password_short INTEGER NOT NULL DEFAULT 0
	CHECK (password_short IN (0, 1));

-- "Recent sign-ins" on a person's page.
CREATE INDEX events_username ON events (username, id);
