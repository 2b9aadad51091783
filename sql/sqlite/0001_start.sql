-- doorkeep's store.  Times are milliseconds since 1970-01-01T00:00:00Z, in
-- UTC.  Made for looking into with the sqlite3 shell: begin with
--	SELECT * FROM active_sessions;
--	SELECT * FROM recent_events;

CREATE TABLE users (
	id            INTEGER NOT NULL PRIMARY KEY,  -- random
	username      TEXT NOT NULL,         -- as it was registered
	username_key  TEXT NOT NULL UNIQUE,  -- in lower case: one name, one user
	display_name  TEXT NOT NULL DEFAULT '',
	email         TEXT NOT NULL DEFAULT '',
	password_hash TEXT NOT NULL DEFAULT '',  -- '': cannot sign in
	disabled      INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
	disabled_at   INTEGER,
	must_change   INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1)),
	created_at    INTEGER NOT NULL,
	password_changed_at INTEGER NOT NULL DEFAULT 0,
	CHECK (username_key = lower(username))
) STRICT;

CREATE TABLE user_groups (
	user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	group_name TEXT NOT NULL CHECK (group_name <> ''),
	PRIMARY KEY (user_id, group_name)
) STRICT, WITHOUT ROWID;

-- One row for each session that is live or has just expired.  The cookie
-- holds id and secret; only the secret's SHA-256 stands here, so a copy of
-- this table opens nothing.  There is no index on expiry: the purge walks
-- the rows by id, which costs the inserts nothing.
CREATE TABLE sessions (
	id               TEXT NOT NULL PRIMARY KEY,  -- a UUID
	secret_hash      BLOB NOT NULL CHECK (length(secret_hash) = 32),
	user_id          INTEGER NOT NULL
	                 REFERENCES users (id) ON DELETE CASCADE,
	created_at       INTEGER NOT NULL,
	authenticated_at INTEGER NOT NULL,  -- the last time with a password
	last_seen_at     INTEGER NOT NULL,  -- written at most once a minute
	expires_at       INTEGER NOT NULL,
	idle_timeout     INTEGER NOT NULL,  -- milliseconds; 0: none
	level            INTEGER NOT NULL CHECK (level IN (1, 2)),
	remember         INTEGER NOT NULL CHECK (remember IN (0, 1)),
	ip               TEXT NOT NULL,
	user_agent       TEXT NOT NULL,
	host             TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user_id ON sessions (user_id, created_at);

-- The audit trail.  Never a secret; of sessions the first eight characters.
CREATE TABLE events (
	id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	at         INTEGER NOT NULL,
	event      TEXT NOT NULL,  -- sign_in, sign_out, user_added, …
	outcome    TEXT NOT NULL,  -- success, failure, refused
	username   TEXT,
	ip         TEXT,
	session    TEXT,
	request_id TEXT,
	actor      TEXT NOT NULL,  -- web, cli:NAME, sql
	detail     TEXT
) STRICT;
CREATE INDEX events_at ON events (at);

-- ---- for people ------------------------------------------------------------

-- Sessions that would be let in now.  DELETE FROM it ends them.
CREATE VIEW active_sessions AS
SELECT s.id,
       u.username,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.created_at / 1000, 'unixepoch')
           AS signed_in_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.last_seen_at / 1000, 'unixepoch')
           AS last_seen_at,
       strftime('%Y-%m-%dT%H:%M:%SZ',
           CASE WHEN s.idle_timeout > 0
                THEN min(s.expires_at, s.last_seen_at + s.idle_timeout)
                ELSE s.expires_at END / 1000, 'unixepoch') AS expires_at,
       s.ip,
       s.user_agent,
       s.remember,
       s.level
  FROM sessions AS s
  JOIN users AS u ON u.id = s.user_id
 WHERE u.disabled = 0
   AND s.expires_at > CAST(strftime('%s', 'now') AS INTEGER) * 1000
   AND (s.idle_timeout = 0 OR s.last_seen_at + s.idle_timeout >
        CAST(strftime('%s', 'now') AS INTEGER) * 1000);

CREATE TRIGGER active_sessions_delete INSTEAD OF DELETE ON active_sessions
BEGIN
	DELETE FROM sessions WHERE id = OLD.id;
	INSERT INTO events (at, event, outcome, username, ip, session, actor)
	VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000,
	        'session_revoked', 'success', OLD.username, OLD.ip,
	        substr(OLD.id, 1, 8), 'sql');
END;

CREATE VIEW recent_events AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', at / 1000, 'unixepoch') AS at,
       event, outcome, username, ip, detail
  FROM events
 ORDER BY id DESC
 LIMIT 1000;

-- A disabled user has no sessions, whoever disabled them.
CREATE TRIGGER users_disable AFTER UPDATE OF disabled ON users
WHEN NEW.disabled = 1
BEGIN
	DELETE FROM sessions WHERE user_id = NEW.id;
END;

-- The program sets disabled_at together with disabled and writes its own
-- event; an UPDATE by hand changes disabled alone and gets both from here.
CREATE TRIGGER users_disable_by_hand AFTER UPDATE OF disabled ON users
WHEN NEW.disabled <> OLD.disabled AND NEW.disabled_at IS OLD.disabled_at
BEGIN
	UPDATE users
	   SET disabled_at = CASE NEW.disabled WHEN 1
	       THEN CAST(strftime('%s', 'now') AS INTEGER) * 1000 END
	 WHERE id = NEW.id;
	INSERT INTO events (at, event, outcome, username, actor)
	VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000,
	        CASE NEW.disabled WHEN 1 THEN 'user_disabled'
	        ELSE 'user_enabled' END, 'success', NEW.username, 'sql');
END;

-- The shell has foreign keys off: what belongs to a user goes with the user
-- all the same.
CREATE TRIGGER users_delete AFTER DELETE ON users
BEGIN
	DELETE FROM sessions WHERE user_id = OLD.id;
	DELETE FROM user_groups WHERE user_id = OLD.id;
END;
