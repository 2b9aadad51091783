-- What makes accounts hold: counters of guesses, known browsers, one-use
-- links, second factors.

-- Values that the program makes for itself, such as the key that hides names
-- in `throttle`.
CREATE TABLE settings (
	name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	value BYTEA NOT NULL
);

-- Guesses counted (see the manual, "Limits").  The bucket is a keyed hash, so
-- the table shows neither names nor addresses; `owner` is the bucket of the
-- account that a row belongs to.
CREATE TABLE throttle (
	bucket   BYTEA NOT NULL PRIMARY KEY CHECK (length(bucket) = 16),
	owner    BYTEA NOT NULL CHECK (length(owner) = 16),
	failures BIGINT NOT NULL CHECK (failures >= 0),
	last_at  BIGINT NOT NULL,  -- the last counted guess
	next_at  BIGINT NOT NULL   -- no guess is checked before
);
CREATE INDEX throttle_owner ON throttle (owner);
CREATE INDEX throttle_last_at ON throttle (last_at);

-- Browsers in which a person has signed in: they keep their way open while
-- strangers guess.  The hash of the value of their cookie.
CREATE TABLE devices (
	token_hash   BYTEA NOT NULL CHECK (length(token_hash) = 32),
	user_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at   BIGINT NOT NULL,
	last_used_at BIGINT NOT NULL,
	PRIMARY KEY (token_hash, user_id)  -- two people, one browser
);
CREATE INDEX devices_user_id ON devices (user_id);

-- One-use links to set a password; one per account.
CREATE TABLE one_use_links (
	user_id    BIGINT NOT NULL PRIMARY KEY
	           REFERENCES users (id) ON DELETE CASCADE,
	token_hash BYTEA NOT NULL UNIQUE CHECK (length(token_hash) = 32),
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);

-- Second factors (TOTP, RFC 6238).  The seed is encrypted with a key that
-- lies in a file outside the database, bound to the user's id.
CREATE TABLE second_factors (
	user_id      BIGINT NOT NULL PRIMARY KEY
	             REFERENCES users (id) ON DELETE CASCADE,
	seed         BYTEA NOT NULL,
	confirmed_at BIGINT,            -- NULL: enrolment not complete
	last_step    BIGINT NOT NULL    -- a code of this step or before is used up
);
CREATE TABLE recovery_codes (
	user_id   BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	code_hash BYTEA NOT NULL CHECK (length(code_hash) = 32),
	PRIMARY KEY (user_id, code_hash)
);

-- The password is shorter than those without a second factor have to be.
ALTER TABLE users ADD COLUMN password_short BIGINT NOT NULL DEFAULT 0
	CHECK (password_short IN (0, 1));

-- "Recent sign-ins" on a person's page.
CREATE INDEX events_username ON events (username, id);
