-- What the administrator's desk looks through and what it draws.

-- Lists in pages, newest first, whatever they are narrowed down to.
CREATE INDEX sessions_created_at ON sessions (created_at);
CREATE INDEX sessions_ip ON sessions (ip, created_at);
DROP INDEX events_username;
CREATE INDEX events_username ON events (username, at);
CREATE INDEX events_ip ON events (ip, at);
CREATE INDEX events_event ON events (event, at);
CREATE INDEX events_outcome ON events (outcome, at);

-- People by how their name, address or person begins, by group, disabled.
CREATE INDEX users_email ON users (lower(email));
CREATE INDEX users_display_name ON users (lower(display_name));
CREATE INDEX users_disabled ON users (disabled, username_key);
CREATE INDEX user_groups_group_name ON user_groups (group_name, user_id);

-- What happened in an hour.  Sign-ins and failures are counted from `events`
-- when the hour is over (counted = 1); throttled guesses, which are no
-- events, are added while it lasts.
CREATE TABLE hours (
	hour      BIGINT NOT NULL PRIMARY KEY,  -- when it began
	sign_ins  BIGINT NOT NULL DEFAULT 0,
	failures  BIGINT NOT NULL DEFAULT 0,
	throttled BIGINT NOT NULL DEFAULT 0,
	counted   BIGINT NOT NULL DEFAULT 0 CHECK (counted IN (0, 1))
);

-- How many sessions were alive, every quarter of an hour.
CREATE TABLE session_samples (
	at   BIGINT NOT NULL PRIMARY KEY,
	live BIGINT  -- NULL: being counted
);
