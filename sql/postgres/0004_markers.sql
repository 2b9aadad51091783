-- Marker files of shared hosting ([hosting] markers): Apache lets in whoever
-- sends the cookie that one is named after, without asking.  So each has a
-- row here, which is written before the file is made and goes after the file
-- has gone.  expires_at of 0 or in the past: the file has to go, and the next
-- run of the program sees to it.
CREATE TABLE markers (
	name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,  -- SHA-1 of the cookie
	session_id TEXT COLLATE "C" NOT NULL,  -- may be gone already
	expires_at BIGINT NOT NULL
);
CREATE INDEX markers_session_id ON markers (session_id);
CREATE INDEX markers_expires_at ON markers (expires_at);

-- Whoever ends the session, by whatever way, ends the marker.
CREATE FUNCTION marker_of_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE markers SET expires_at = 0 WHERE session_id = OLD.id;
	RETURN NULL;
END $$;
CREATE TRIGGER sessions_delete_markers AFTER DELETE ON sessions
FOR EACH ROW EXECUTE FUNCTION marker_of_session();
CREATE TRIGGER sessions_update_markers AFTER UPDATE OF expires_at ON sessions
FOR EACH ROW WHEN (NEW.expires_at <> OLD.expires_at)
EXECUTE FUNCTION marker_of_session();

-- It says who somebody is and in which groups: when that changes they get a
-- new one at the next page.
CREATE FUNCTION markers_of_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE markers SET expires_at = 0 WHERE session_id IN
	    (SELECT id FROM sessions WHERE user_id = OLD.user_id);
	RETURN NULL;
END $$;
CREATE TRIGGER user_groups_delete_markers AFTER DELETE ON user_groups
FOR EACH ROW EXECUTE FUNCTION markers_of_member();
CREATE TRIGGER user_groups_update_markers AFTER UPDATE ON user_groups
FOR EACH ROW EXECUTE FUNCTION markers_of_member();

CREATE FUNCTION markers_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE markers SET expires_at = 0 WHERE session_id IN
	    (SELECT id FROM sessions WHERE user_id = NEW.id);
	RETURN NULL;
END $$;
CREATE TRIGGER users_update_markers
AFTER UPDATE OF username, must_change ON users
FOR EACH ROW WHEN (NEW.username <> OLD.username OR NEW.must_change = 1)
EXECUTE FUNCTION markers_of_user();
