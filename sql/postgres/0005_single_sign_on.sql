-- Single sign-on over several hosts ([session] single_sign_on).  Each host has
-- a session of its own; those that came from one sign-in have the same family
-- and end together when somebody signs out.  NULL: there is only this one.
ALTER TABLE sessions ADD COLUMN family TEXT COLLATE "C";
CREATE INDEX sessions_family ON sessions (family) WHERE family IS NOT NULL;

-- Codes that carry a sign-in from the first host to another: for one use, for
-- 30 seconds.  Only the SHA-256 of code and browser stand here.
CREATE TABLE handoffs (
	code_hash  BYTEA NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
	session_id TEXT COLLATE "C" NOT NULL,  -- may be gone already
	origin     TEXT COLLATE "C" NOT NULL,  -- where alone it is good
	browser    BYTEA NOT NULL CHECK (length(browser) = 32),
	expires_at BIGINT NOT NULL
);
CREATE INDEX handoffs_expires_at ON handoffs (expires_at);
