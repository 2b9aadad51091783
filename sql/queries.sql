-- Every statement of the program, once, for all engines.  A block begins with
-- "-- name:"; its comments say what the parameters are and what comes back.
-- $1, $2 … are bound by name in SQLite and by number in PostgreSQL.  Times
-- are milliseconds.

-- name: user_get
-- $1 name in lower case; all columns of struct user_row
SELECT id, username, display_name, email, password_hash, disabled,
       must_change, created_at, password_changed_at
  FROM users
 WHERE username_key = $1;

-- name: user_get_by_id
-- $1 id; as user_get
SELECT id, username, display_name, email, password_hash, disabled,
       must_change, created_at, password_changed_at
  FROM users
 WHERE id = $1;

-- name: user_add
-- $1 id, $2 name, $3 name in lower case, $4 display name, $5 address,
-- $6 password hash, $7 must_change, $8 now
INSERT INTO users (id, username, username_key, display_name, email,
       password_hash, must_change, created_at, password_changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8);

-- name: user_set_password
-- $1 id, $2 hash, $3 must_change, $4 now
UPDATE users
   SET password_hash = $2, must_change = $3, password_changed_at = $4
 WHERE id = $1;

-- name: user_mark_password
-- $1 id, $2 1 when the password is too short without a second factor
UPDATE users SET password_short = $2 WHERE id = $1;

-- name: user_require_change
-- $1 id: the next sign-in has to change the password
UPDATE users SET must_change = 1 WHERE id = $1;

-- name: user_require_change_if_short
-- $1 id, whose second factor goes
UPDATE users SET must_change = 1 WHERE id = $1 AND password_short = 1;

-- name: user_rehash
-- $1 id, $2 the hash that was verified, $3 its replacement
UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2;

-- name: user_set_profile
-- $1 id, $2 display name, $3 address
UPDATE users SET display_name = $2, email = $3 WHERE id = $1;

-- name: user_set_disabled
-- $1 id, $2 0 or 1, $3 now or NULL; a trigger ends the sessions
UPDATE users SET disabled = $2, disabled_at = $3 WHERE id = $1;

-- name: user_delete
-- $1 id; sessions and memberships go with it
DELETE FROM users WHERE id = $1;

-- name: user_count
-- how many there are
SELECT count(*) FROM users;

-- name: group_list
-- $1 user; names in order
SELECT group_name FROM user_groups WHERE user_id = $1 ORDER BY group_name;

-- name: group_add
-- $1 user, $2 group; a member already stays one
INSERT INTO user_groups (user_id, group_name) VALUES ($1, $2)
 ON CONFLICT (user_id, group_name) DO NOTHING;

-- name: group_remove
-- $1 user, $2 group
DELETE FROM user_groups WHERE user_id = $1 AND group_name = $2;

-- name: session_get
-- $1 id; the columns of struct session_view
SELECT s.id, s.secret_hash, s.user_id, s.created_at, s.authenticated_at,
       s.last_seen_at, s.expires_at, s.idle_timeout, s.level, s.remember,
       s.ip, s.user_agent, s.host, u.username, u.display_name, u.email,
       u.disabled, u.must_change
  FROM sessions AS s
  JOIN users AS u ON u.id = s.user_id
 WHERE s.id = $1;

-- name: session_check
-- $1 id; as session_get, and a group in each row: the gate's one look-up
SELECT s.id, s.secret_hash, s.user_id, s.created_at, s.authenticated_at,
       s.last_seen_at, s.expires_at, s.idle_timeout, s.level, s.remember,
       s.ip, s.user_agent, s.host, u.username, u.display_name, u.email,
       u.disabled, u.must_change, g.group_name
  FROM sessions AS s
  JOIN users AS u ON u.id = s.user_id
  LEFT JOIN user_groups AS g ON g.user_id = u.id
 WHERE s.id = $1
 ORDER BY g.group_name;

-- name: session_add
-- $1 id, $2 SHA-256 of the secret, $3 user, $4 created, $5 authenticated,
-- $6 last seen, $7 expires, $8 idle timeout, $9 level, $10 remember, $11 ip,
-- $12 user agent, $13 host
INSERT INTO sessions (id, secret_hash, user_id, created_at, authenticated_at,
       last_seen_at, expires_at, idle_timeout, level, remember, ip,
       user_agent, host)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: session_touch
-- $1 id, $2 now; only ever forward
UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2;

-- name: session_delete
-- $1 id
DELETE FROM sessions WHERE id = $1;

-- name: session_delete_family
-- $1 id: this one, and all that came from the same sign-in
DELETE FROM sessions
 WHERE id = $1
    OR family = (SELECT s.family FROM sessions AS s WHERE s.id = $1);

-- name: session_family
-- $1 id, $2 user; the family
SELECT family FROM sessions WHERE id = $1 AND user_id = $2;

-- name: session_set_family
-- $1 id, $2 family; once it has one it stays
UPDATE sessions SET family = $2 WHERE id = $1 AND family IS NULL;

-- name: handoff_add
-- $1 SHA-256 of the code, $2 session, $3 origin, $4 SHA-256 of what the
-- browser keeps, $5 expires
INSERT INTO handoffs (code_hash, session_id, origin, browser, expires_at)
VALUES ($1, $2, $3, $4, $5);

-- name: handoff_get
-- $1 SHA-256 of the code, $2 now; session, origin, browser
SELECT session_id, origin, browser FROM handoffs
 WHERE code_hash = $1 AND expires_at > $2;

-- name: handoff_use
-- $1 SHA-256 of the code
DELETE FROM handoffs WHERE code_hash = $1;

-- name: handoff_purge
-- $1 now
DELETE FROM handoffs WHERE expires_at <= $1;

-- name: session_delete_of_user
-- $1 user, $2 id of the one to keep, '' for none
DELETE FROM sessions WHERE user_id = $1 AND id <> $2;

-- name: session_delete_all
-- every session
DELETE FROM sessions;

-- name: session_delete_oldest
-- $1 user, $2 now, $3 how many of the newest live ones stay
DELETE FROM sessions
 WHERE user_id = $1
   AND id NOT IN
       (SELECT id FROM sessions
         WHERE user_id = $1 AND expires_at > $2
           AND (idle_timeout = 0 OR last_seen_at > $2 - idle_timeout)
         ORDER BY created_at DESC, id DESC
         LIMIT $3);

-- name: session_purge_end
-- $1 id to go on behind, $2 how many to look at; the last id looked at
SELECT max(id) FROM
 (SELECT id FROM sessions WHERE id > $1 ORDER BY id LIMIT $2) AS step;

-- name: session_purge
-- $1 behind this id, $2 up to this id, $3 now
DELETE FROM sessions
 WHERE id > $1 AND id <= $2
   AND (expires_at <= $3 OR
        (idle_timeout > 0 AND last_seen_at <= $3 - idle_timeout));

-- name: event_add
-- $1 at, $2 event, $3 outcome, $4 user name, $5 ip, $6 session, $7 request,
-- $8 actor, $9 detail
INSERT INTO events (at, event, outcome, username, ip, session, request_id,
       actor, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: event_purge_step
-- $1 before, $2 how many at most
DELETE FROM events WHERE id IN
 (SELECT id FROM events WHERE at < $1 ORDER BY at LIMIT $2);

-- name: session_count
-- $1 now; how many are live
SELECT count(*) FROM sessions
 WHERE expires_at > $1
   AND (idle_timeout = 0 OR last_seen_at > $1 - idle_timeout);

-- name: setting_get
-- $1 name; value
SELECT value FROM settings WHERE name = $1;

-- name: setting_add
-- $1 name, $2 value; an existing one stays
INSERT INTO settings (name, value) VALUES ($1, $2)
 ON CONFLICT (name) DO NOTHING;

-- name: throttle_get
-- $1 bucket; owner, failures, last_at, next_at
SELECT owner, failures, last_at, next_at FROM throttle WHERE bucket = $1;

-- name: throttle_put
-- $1 bucket, $2 owner, $3 failures, $4 last_at, $5 next_at
INSERT INTO throttle (bucket, owner, failures, last_at, next_at)
VALUES ($1, $2, $3, $4, $5)
 ON CONFLICT (bucket) DO UPDATE SET owner = excluded.owner,
       failures = excluded.failures, last_at = excluded.last_at,
       next_at = excluded.next_at;

-- name: throttle_delete
-- $1 bucket
DELETE FROM throttle WHERE bucket = $1;

-- name: throttle_forget
-- $1 the account's bucket
DELETE FROM throttle WHERE owner = $1;

-- name: throttle_purge_step
-- $1 last guess before this time, $2 how many at most
DELETE FROM throttle WHERE bucket IN
 (SELECT bucket FROM throttle WHERE last_at < $1 ORDER BY last_at LIMIT $2);

-- name: throttle_count
-- the number of counters
SELECT count(*) FROM throttle;

-- name: throttle_drop_least
-- $1 how many: those with the fewest failures, oldest first
DELETE FROM throttle WHERE bucket IN
 (SELECT bucket FROM throttle ORDER BY failures, last_at LIMIT $1);

-- name: factor_any
-- 1 when some second factor is set up or being set up (ids are positive)
SELECT count(*) FROM
 (SELECT user_id FROM second_factors WHERE user_id > 0 LIMIT 1) AS step;

-- name: device_add
-- $1 SHA-256 of the cookie's value, $2 user, $3 now
INSERT INTO devices (token_hash, user_id, created_at, last_used_at)
VALUES ($1, $2, $3, $3)
 ON CONFLICT (token_hash, user_id) DO UPDATE
   SET last_used_at = excluded.last_used_at;

-- name: device_get
-- $1 SHA-256 of the cookie's value, $2 user; when it was used last
SELECT last_used_at FROM devices WHERE token_hash = $1 AND user_id = $2;

-- name: device_drop_oldest
-- $1 user, $2 how many stay
DELETE FROM devices
 WHERE user_id = $1
   AND token_hash NOT IN
       (SELECT token_hash FROM devices WHERE user_id = $1
         ORDER BY last_used_at DESC LIMIT $2);

-- name: device_forget
-- $1 user: all of theirs
DELETE FROM devices WHERE user_id = $1;

-- name: link_put
-- $1 user, $2 SHA-256 of the token, $3 now, $4 expires; replaces an older one
INSERT INTO one_use_links (user_id, token_hash, created_at, expires_at)
VALUES ($1, $2, $3, $4)
 ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash,
       created_at = excluded.created_at, expires_at = excluded.expires_at;

-- name: link_get
-- $1 SHA-256 of the token, $2 now; the user it is for
SELECT user_id FROM one_use_links WHERE token_hash = $1 AND expires_at > $2;

-- name: link_use
-- $1 SHA-256 of the token, $2 now
DELETE FROM one_use_links WHERE token_hash = $1 AND expires_at > $2;

-- name: link_forget
-- $1 user
DELETE FROM one_use_links WHERE user_id = $1;

-- name: link_purge
-- $1 now
DELETE FROM one_use_links WHERE expires_at <= $1;

-- name: factor_get
-- $1 user; encrypted seed, when confirmed or NULL, last step used
SELECT seed, confirmed_at, last_step FROM second_factors WHERE user_id = $1;

-- name: factor_put
-- $1 user, $2 encrypted seed; an unconfirmed one is replaced
INSERT INTO second_factors (user_id, seed, confirmed_at, last_step)
VALUES ($1, $2, NULL, 0)
 ON CONFLICT (user_id) DO UPDATE SET seed = excluded.seed,
       confirmed_at = NULL, last_step = 0
 WHERE second_factors.confirmed_at IS NULL;

-- name: factor_confirm
-- $1 user, $2 now
UPDATE second_factors SET confirmed_at = $2
 WHERE user_id = $1 AND confirmed_at IS NULL;

-- name: factor_use_step
-- $1 user, $2 the step of the code: a code works once
UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2;

-- name: factor_delete
-- $1 user
DELETE FROM second_factors WHERE user_id = $1;

-- name: recovery_add
-- $1 user, $2 SHA-256 of the code
INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2);

-- name: recovery_use
-- $1 user, $2 SHA-256 of the code
DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2;

-- name: recovery_count
-- $1 user
SELECT count(*) FROM recovery_codes WHERE user_id = $1;

-- name: recovery_delete
-- $1 user
DELETE FROM recovery_codes WHERE user_id = $1;


-- The lists of an administrator.  Each is in pages by a key, and there is one
-- statement for each thing that may narrow it down first, so that every page
-- is found by an index (store/find.h chooses).

-- name: user_find
-- $1 name in lower case to go on behind, $2 how many, $3 group or '', $4
-- disabled: 0, 1, or -1 for both, $5 how name, address or person begin, in
-- lower case, or '', $6 where such texts end; as user_get, in name order
SELECT u.id, u.username, u.display_name, u.email, u.password_hash, u.disabled,
       u.must_change, u.created_at, u.password_changed_at
  FROM users AS u
 WHERE u.username_key > $1
   AND ($3 = '' OR EXISTS
        (SELECT 1 FROM user_groups AS g
          WHERE g.user_id = u.id AND g.group_name = $3))
   AND ($4 < 0 OR u.disabled = $4)
   AND ($5 = '' OR (u.username_key >= $5 AND u.username_key < $6)
        OR (lower(u.email) >= $5 AND lower(u.email) < $6)
        OR (lower(u.display_name) >= $5 AND lower(u.display_name) < $6))
 ORDER BY u.username_key
 LIMIT $2;

-- name: user_find_disabled
-- as user_find, $4 0 or 1
SELECT u.id, u.username, u.display_name, u.email, u.password_hash, u.disabled,
       u.must_change, u.created_at, u.password_changed_at
  FROM users AS u
 WHERE u.disabled = $4 AND u.username_key > $1
   AND ($3 = '' OR EXISTS
        (SELECT 1 FROM user_groups AS g
          WHERE g.user_id = u.id AND g.group_name = $3))
   AND ($5 = '' OR (u.username_key >= $5 AND u.username_key < $6)
        OR (lower(u.email) >= $5 AND lower(u.email) < $6)
        OR (lower(u.display_name) >= $5 AND lower(u.display_name) < $6))
 ORDER BY u.username_key
 LIMIT $2;

-- name: user_find_in_group
-- as user_find, for groups with few members
SELECT u.id, u.username, u.display_name, u.email, u.password_hash, u.disabled,
       u.must_change, u.created_at, u.password_changed_at
  FROM user_groups AS m
  JOIN users AS u ON u.id = m.user_id
 WHERE m.group_name = $3 AND u.username_key > $1
   AND ($4 < 0 OR u.disabled = $4)
   AND ($5 = '' OR (u.username_key >= $5 AND u.username_key < $6)
        OR (lower(u.email) >= $5 AND lower(u.email) < $6)
        OR (lower(u.display_name) >= $5 AND lower(u.display_name) < $6))
 ORDER BY u.username_key
 LIMIT $2;

-- name: user_find_begins
-- as user_find, for beginnings that few share
SELECT u.id, u.username, u.display_name, u.email, u.password_hash, u.disabled,
       u.must_change, u.created_at, u.password_changed_at
  FROM users AS u
 WHERE u.id IN
       (SELECT id FROM users WHERE username_key >= $5 AND username_key < $6
         UNION
        SELECT id FROM users WHERE lower(email) >= $5 AND lower(email) < $6
         UNION
        SELECT id FROM users
         WHERE lower(display_name) >= $5 AND lower(display_name) < $6)
   AND u.username_key > $1
   AND ($3 = '' OR EXISTS
        (SELECT 1 FROM user_groups AS g
          WHERE g.user_id = u.id AND g.group_name = $3))
   AND ($4 < 0 OR u.disabled = $4)
 ORDER BY u.username_key
 LIMIT $2;

-- name: user_begins_count
-- $1 and $2 as $5 and $6 of user_find, $3 where counting stops
SELECT (SELECT count(*) FROM
        (SELECT id FROM users WHERE username_key >= $1 AND username_key < $2
          LIMIT $3) AS step) +
       (SELECT count(*) FROM
        (SELECT id FROM users WHERE lower(email) >= $1 AND lower(email) < $2
          LIMIT $3) AS step) +
       (SELECT count(*) FROM
        (SELECT id FROM users
          WHERE lower(display_name) >= $1 AND lower(display_name) < $2
          LIMIT $3) AS step);

-- name: user_in_group_count
-- $1 group, $2 where counting stops
SELECT count(*) FROM
 (SELECT user_id FROM user_groups WHERE group_name = $1 LIMIT $2) AS step;

-- name: session_find
-- $1 now, $2 signed in at or before, $3 and then with an id before, $4 how
-- many, $5 signed in at or after; as session_get, newest first
SELECT s.id, s.secret_hash, s.user_id, s.created_at, s.authenticated_at,
       s.last_seen_at, s.expires_at, s.idle_timeout, s.level, s.remember,
       s.ip, s.user_agent, s.host, u.username, u.display_name, u.email,
       u.disabled, u.must_change
  FROM sessions AS s
  JOIN users AS u ON u.id = s.user_id
 WHERE s.expires_at > $1
   AND (s.idle_timeout = 0 OR s.last_seen_at > $1 - s.idle_timeout)
   AND s.created_at <= $2 AND (s.created_at < $2 OR s.id < $3)
   AND s.created_at >= $5
 ORDER BY s.created_at DESC, s.id DESC
 LIMIT $4;

-- name: session_find_of_user
-- as session_find, and $6 user, $7 address or ''
SELECT s.id, s.secret_hash, s.user_id, s.created_at, s.authenticated_at,
       s.last_seen_at, s.expires_at, s.idle_timeout, s.level, s.remember,
       s.ip, s.user_agent, s.host, u.username, u.display_name, u.email,
       u.disabled, u.must_change
  FROM sessions AS s
  JOIN users AS u ON u.id = s.user_id
 WHERE s.user_id = $6
   AND ($7 = '' OR s.ip = $7)
   AND s.expires_at > $1
   AND (s.idle_timeout = 0 OR s.last_seen_at > $1 - s.idle_timeout)
   AND s.created_at <= $2 AND (s.created_at < $2 OR s.id < $3)
   AND s.created_at >= $5
 ORDER BY s.created_at DESC, s.id DESC
 LIMIT $4;

-- name: session_find_of_ip
-- as session_find, and $6 address
SELECT s.id, s.secret_hash, s.user_id, s.created_at, s.authenticated_at,
       s.last_seen_at, s.expires_at, s.idle_timeout, s.level, s.remember,
       s.ip, s.user_agent, s.host, u.username, u.display_name, u.email,
       u.disabled, u.must_change
  FROM sessions AS s
  JOIN users AS u ON u.id = s.user_id
 WHERE s.ip = $6
   AND s.expires_at > $1
   AND (s.idle_timeout = 0 OR s.last_seen_at > $1 - s.idle_timeout)
   AND s.created_at <= $2 AND (s.created_at < $2 OR s.id < $3)
   AND s.created_at >= $5
 ORDER BY s.created_at DESC, s.id DESC
 LIMIT $4;

-- name: session_find_count
-- $1 now, $2 signed in at or before, $3 at or after, $4 where counting stops
SELECT count(*) FROM
 (SELECT s.id FROM sessions AS s
   WHERE s.created_at <= $2 AND s.created_at >= $3
     AND s.expires_at > $1
     AND (s.idle_timeout = 0 OR s.last_seen_at > $1 - s.idle_timeout)
   LIMIT $4) AS step;

-- name: session_find_count_of_user
-- as session_find_count, and $5 user, $6 address or ''
SELECT count(*) FROM
 (SELECT s.id FROM sessions AS s
   WHERE s.user_id = $5 AND ($6 = '' OR s.ip = $6)
     AND s.created_at <= $2 AND s.created_at >= $3
     AND s.expires_at > $1
     AND (s.idle_timeout = 0 OR s.last_seen_at > $1 - s.idle_timeout)
   LIMIT $4) AS step;

-- name: session_find_count_of_ip
-- as session_find_count, and $5 address
SELECT count(*) FROM
 (SELECT s.id FROM sessions AS s
   WHERE s.ip = $5 AND s.created_at <= $2 AND s.created_at >= $3
     AND s.expires_at > $1
     AND (s.idle_timeout = 0 OR s.last_seen_at > $1 - s.idle_timeout)
   LIMIT $4) AS step;

-- name: session_delete_found
-- $1 id to keep or '', $2 signed in at or before, $3 at or after, $4 how many
-- at most
DELETE FROM sessions WHERE id IN
 (SELECT s.id FROM sessions AS s
   WHERE s.created_at <= $2 AND s.created_at >= $3
     AND s.id <> $1
   ORDER BY s.created_at
   LIMIT $4);

-- name: session_delete_found_of_user
-- as session_delete_found, and $5 user, $6 address or ''
DELETE FROM sessions WHERE id IN
 (SELECT s.id FROM sessions AS s
   WHERE s.user_id = $5 AND ($6 = '' OR s.ip = $6)
     AND s.created_at <= $2 AND s.created_at >= $3
     AND s.id <> $1
   ORDER BY s.created_at
   LIMIT $4);

-- name: session_delete_found_of_ip
-- as session_delete_found, and $5 address
DELETE FROM sessions WHERE id IN
 (SELECT s.id FROM sessions AS s
   WHERE s.ip = $5 AND s.created_at <= $2 AND s.created_at >= $3
     AND s.id <> $1
   ORDER BY s.created_at
   LIMIT $4);

-- name: session_sum
-- $1 now, $2 how many rows to look at; how many there were to look at, and
-- how many of them are live
SELECT count(*),
       coalesce(sum(CASE WHEN expires_at > $1 AND
           (idle_timeout = 0 OR last_seen_at > $1 - idle_timeout)
           THEN 1 ELSE 0 END), 0)
  FROM (SELECT expires_at, last_seen_at, idle_timeout FROM sessions
         WHERE id > '' LIMIT $2) AS step;

-- name: event_list
-- $1 id to go on behind, $2 since, $3 user name or '', $4 how many, $5 event
-- or '', $6 outcome or '', $7 address or '', $8 before; oldest first
SELECT id, at, event, outcome, username, ip, session, request_id, actor,
       detail
  FROM events
 WHERE id > $1 AND at >= $2
   AND ($3 = '' OR lower(username) = lower($3))
   AND ($5 = '' OR event = $5)
   AND ($6 = '' OR outcome = $6)
   AND ($7 = '' OR ip = $7)
   AND at < $8
 ORDER BY id
 LIMIT $4;

-- name: event_sign_ins
-- $1 user name, $2 how many; sign-ins and failures, newest first
SELECT id, at, event, outcome, username, ip, session, request_id, actor,
       detail
  FROM events
 WHERE username = $1 AND event IN ('sign_in', 'second_factor')
 ORDER BY at DESC, id DESC
 LIMIT $2;

-- name: event_find
-- $1 at or before, $2 and then with an id before, $3 at or after, $4 how many,
-- $5 user name or '', $6 address or '', $7 event or '', $8 outcome or '';
-- newest first
SELECT id, at, event, outcome, username, ip, session, request_id, actor,
       detail
  FROM events
 WHERE at <= $1 AND (at < $1 OR id < $2)
   AND at >= $3
   AND ($5 = '' OR username = $5)
   AND ($6 = '' OR ip = $6)
   AND ($7 = '' OR event = $7)
   AND ($8 = '' OR outcome = $8)
 ORDER BY at DESC, id DESC
 LIMIT $4;

-- name: event_find_of_username
-- as event_find, with $5 given
SELECT id, at, event, outcome, username, ip, session, request_id, actor,
       detail
  FROM events
 WHERE username = $5
   AND at <= $1 AND (at < $1 OR id < $2)
   AND at >= $3
   AND ($6 = '' OR ip = $6)
   AND ($7 = '' OR event = $7)
   AND ($8 = '' OR outcome = $8)
 ORDER BY at DESC, id DESC
 LIMIT $4;

-- name: event_find_of_ip
-- as event_find, with $6 given
SELECT id, at, event, outcome, username, ip, session, request_id, actor,
       detail
  FROM events
 WHERE ip = $6
   AND at <= $1 AND (at < $1 OR id < $2)
   AND at >= $3
   AND ($5 = '' OR username = $5)
   AND ($7 = '' OR event = $7)
   AND ($8 = '' OR outcome = $8)
 ORDER BY at DESC, id DESC
 LIMIT $4;

-- name: event_find_of_event
-- as event_find, with $7 given
SELECT id, at, event, outcome, username, ip, session, request_id, actor,
       detail
  FROM events
 WHERE event = $7
   AND at <= $1 AND (at < $1 OR id < $2)
   AND at >= $3
   AND ($5 = '' OR username = $5)
   AND ($6 = '' OR ip = $6)
   AND ($8 = '' OR outcome = $8)
 ORDER BY at DESC, id DESC
 LIMIT $4;

-- name: event_find_of_outcome
-- as event_find, with $8 given
SELECT id, at, event, outcome, username, ip, session, request_id, actor,
       detail
  FROM events
 WHERE outcome = $8
   AND at <= $1 AND (at < $1 OR id < $2)
   AND at >= $3
   AND ($5 = '' OR username = $5)
   AND ($6 = '' OR ip = $6)
   AND ($7 = '' OR event = $7)
 ORDER BY at DESC, id DESC
 LIMIT $4;

-- name: hour_last_counted
-- $1 0; the last hour that was counted
SELECT hour FROM hours WHERE hour > $1 AND counted = 1
 ORDER BY hour DESC
 LIMIT 1;

-- name: hour_count
-- $1 when it began, $2 when it ends; counts it from the events, once
INSERT INTO hours (hour, sign_ins, failures, counted)
SELECT CAST($1 AS BIGINT),
       coalesce(sum(CASE WHEN outcome = 'success' AND event = 'sign_in'
           THEN 1 ELSE 0 END), 0),
       coalesce(sum(CASE WHEN outcome = 'failure' THEN 1 ELSE 0 END), 0), 1
  FROM events
 WHERE event IN ('sign_in', 'second_factor') AND at >= $1 AND at < $2
 ON CONFLICT (hour) DO UPDATE SET sign_ins = excluded.sign_ins,
       failures = excluded.failures, counted = 1;

-- name: hour_add_throttled
-- $1 when it began, $2 how many more
INSERT INTO hours (hour, throttled) VALUES ($1, $2)
 ON CONFLICT (hour) DO UPDATE
   SET throttled = hours.throttled + excluded.throttled;

-- name: hour_list
-- $1 from, $2 before; hour, sign_ins, failures, throttled, counted
SELECT hour, sign_ins, failures, throttled, counted FROM hours
 WHERE hour >= $1 AND hour < $2
 ORDER BY hour;

-- name: hour_uncounted
-- $1 from, $2 before; the columns of hour_list, from the events
SELECT at - at % 3600000,
       sum(CASE WHEN outcome = 'success' AND event = 'sign_in'
           THEN 1 ELSE 0 END),
       sum(CASE WHEN outcome = 'failure' THEN 1 ELSE 0 END), 0, 0
  FROM events
 WHERE event IN ('sign_in', 'second_factor') AND at >= $1 AND at < $2
 GROUP BY at - at % 3600000
 ORDER BY at - at % 3600000;

-- name: hour_purge
-- $1 before
DELETE FROM hours WHERE hour < $1;

-- name: sample_get
-- $1 when; 1 if there is one
SELECT count(*) FROM session_samples WHERE at = $1;

-- name: sample_claim
-- $1 when; whoever is first counts
INSERT INTO session_samples (at, live) VALUES ($1, NULL)
 ON CONFLICT (at) DO NOTHING;

-- name: sample_set
-- $1 when, $2 how many are live
UPDATE session_samples SET live = $2 WHERE at = $1;

-- name: sample_list
-- $1 from, $2 before; when and how many
SELECT at, live FROM session_samples
 WHERE at >= $1 AND at < $2 AND live IS NOT NULL
 ORDER BY at;

-- name: sample_purge
-- $1 before
DELETE FROM session_samples WHERE at < $1;

-- name: marker_add
-- $1 name, $2 session; nothing when the session has ended meanwhile
INSERT INTO markers (name, session_id, expires_at)
SELECT $1, id, expires_at FROM sessions WHERE id = $2;

-- name: marker_get
-- $1 name, $2 now: the session it is for; no row once it has ended
SELECT session_id FROM markers WHERE name = $1 AND expires_at > $2;

-- name: marker_end
-- $1 session: its markers have to go
UPDATE markers SET expires_at = 0 WHERE session_id = $1;

-- name: marker_due
-- $1 now, $2 how many: names of files that have to go
SELECT name FROM markers WHERE expires_at <= $1
 ORDER BY expires_at, name LIMIT $2;

-- name: marker_delete
-- $1 name, whose file is gone
DELETE FROM markers WHERE name = $1;

-- The copy of a store into another (src/store/copy.c): for each table its rows
-- by key, with the key first; away with those of a stretch; in with one.  A
-- test holds the columns against the schema.

-- name: copy_settings_read
-- $1 key to go on behind, $2 how many
SELECT name, value
  FROM settings
 WHERE name > $1
 ORDER BY name
 LIMIT $2;

-- name: copy_settings_clear
-- behind key $1, up to key $2
DELETE FROM settings WHERE name > $1 AND name <= $2;

-- name: copy_settings_put
-- all columns, as copy_settings_read
INSERT INTO settings (name, value)
VALUES ($1, $2);

-- name: copy_users_read
-- $1 key to go on behind, $2 how many
SELECT id, username, username_key, display_name, email, password_hash,
       disabled, disabled_at, must_change, created_at, password_changed_at,
       password_short
  FROM users
 WHERE id > $1
 ORDER BY id
 LIMIT $2;

-- name: copy_users_clear
-- behind key $1, up to key $2
DELETE FROM users WHERE id > $1 AND id <= $2;

-- name: copy_users_put
-- all columns, as copy_users_read
INSERT INTO users (id, username, username_key, display_name, email,
       password_hash, disabled, disabled_at, must_change, created_at,
       password_changed_at, password_short)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: copy_user_groups_read
-- $1 and $2 key to go on behind, $3 how many
SELECT user_id, group_name
  FROM user_groups
 WHERE (user_id, group_name) > ($1, $2)
 ORDER BY user_id, group_name
 LIMIT $3;

-- name: copy_user_groups_clear
-- behind key $1, $2, up to key $3, $4
DELETE FROM user_groups
 WHERE (user_id, group_name) > ($1, $2)
   AND (user_id, group_name) <= ($3, $4);

-- name: copy_user_groups_put
-- all columns, as copy_user_groups_read
INSERT INTO user_groups (user_id, group_name)
VALUES ($1, $2);

-- name: copy_sessions_read
-- $1 key to go on behind, $2 how many
SELECT id, secret_hash, user_id, created_at, authenticated_at, last_seen_at,
       expires_at, idle_timeout, level, remember, ip, user_agent, host, family
  FROM sessions
 WHERE id > $1
 ORDER BY id
 LIMIT $2;

-- name: copy_sessions_clear
-- behind key $1, up to key $2
DELETE FROM sessions WHERE id > $1 AND id <= $2;

-- name: copy_sessions_put
-- all columns, as copy_sessions_read
INSERT INTO sessions (id, secret_hash, user_id, created_at,
       authenticated_at, last_seen_at, expires_at, idle_timeout, level,
       remember, ip, user_agent, host, family)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: copy_devices_read
-- $1 and $2 key to go on behind, $3 how many
SELECT token_hash, user_id, created_at, last_used_at
  FROM devices
 WHERE (token_hash, user_id) > ($1, $2)
 ORDER BY token_hash, user_id
 LIMIT $3;

-- name: copy_devices_clear
-- behind key $1, $2, up to key $3, $4
DELETE FROM devices
 WHERE (token_hash, user_id) > ($1, $2)
   AND (token_hash, user_id) <= ($3, $4);

-- name: copy_devices_put
-- all columns, as copy_devices_read
INSERT INTO devices (token_hash, user_id, created_at, last_used_at)
VALUES ($1, $2, $3, $4);

-- name: copy_one_use_links_read
-- $1 key to go on behind, $2 how many
SELECT user_id, token_hash, created_at, expires_at
  FROM one_use_links
 WHERE user_id > $1
 ORDER BY user_id
 LIMIT $2;

-- name: copy_one_use_links_clear
-- behind key $1, up to key $2
DELETE FROM one_use_links WHERE user_id > $1 AND user_id <= $2;

-- name: copy_one_use_links_put
-- all columns, as copy_one_use_links_read
INSERT INTO one_use_links (user_id, token_hash, created_at, expires_at)
VALUES ($1, $2, $3, $4);

-- name: copy_second_factors_read
-- $1 key to go on behind, $2 how many
SELECT user_id, seed, confirmed_at, last_step
  FROM second_factors
 WHERE user_id > $1
 ORDER BY user_id
 LIMIT $2;

-- name: copy_second_factors_clear
-- behind key $1, up to key $2
DELETE FROM second_factors WHERE user_id > $1 AND user_id <= $2;

-- name: copy_second_factors_put
-- all columns, as copy_second_factors_read
INSERT INTO second_factors (user_id, seed, confirmed_at, last_step)
VALUES ($1, $2, $3, $4);

-- name: copy_recovery_codes_read
-- $1 and $2 key to go on behind, $3 how many
SELECT user_id, code_hash
  FROM recovery_codes
 WHERE (user_id, code_hash) > ($1, $2)
 ORDER BY user_id, code_hash
 LIMIT $3;

-- name: copy_recovery_codes_clear
-- behind key $1, $2, up to key $3, $4
DELETE FROM recovery_codes
 WHERE (user_id, code_hash) > ($1, $2)
   AND (user_id, code_hash) <= ($3, $4);

-- name: copy_recovery_codes_put
-- all columns, as copy_recovery_codes_read
INSERT INTO recovery_codes (user_id, code_hash)
VALUES ($1, $2);

-- name: copy_throttle_read
-- $1 key to go on behind, $2 how many
SELECT bucket, owner, failures, last_at, next_at
  FROM throttle
 WHERE bucket > $1
 ORDER BY bucket
 LIMIT $2;

-- name: copy_throttle_clear
-- behind key $1, up to key $2
DELETE FROM throttle WHERE bucket > $1 AND bucket <= $2;

-- name: copy_throttle_put
-- all columns, as copy_throttle_read
INSERT INTO throttle (bucket, owner, failures, last_at, next_at)
VALUES ($1, $2, $3, $4, $5);

-- name: copy_hours_read
-- $1 key to go on behind, $2 how many
SELECT hour, sign_ins, failures, throttled, counted
  FROM hours
 WHERE hour > $1
 ORDER BY hour
 LIMIT $2;

-- name: copy_hours_clear
-- behind key $1, up to key $2
DELETE FROM hours WHERE hour > $1 AND hour <= $2;

-- name: copy_hours_put
-- all columns, as copy_hours_read
INSERT INTO hours (hour, sign_ins, failures, throttled, counted)
VALUES ($1, $2, $3, $4, $5);

-- name: copy_session_samples_read
-- $1 key to go on behind, $2 how many
SELECT at, live
  FROM session_samples
 WHERE at > $1
 ORDER BY at
 LIMIT $2;

-- name: copy_session_samples_clear
-- behind key $1, up to key $2
DELETE FROM session_samples WHERE at > $1 AND at <= $2;

-- name: copy_session_samples_put
-- all columns, as copy_session_samples_read
INSERT INTO session_samples (at, live)
VALUES ($1, $2);

-- name: copy_events_read
-- $1 key to go on behind, $2 how many
SELECT id, at, event, outcome, username, ip, session, request_id, actor,
       detail
  FROM events
 WHERE id > $1
 ORDER BY id
 LIMIT $2;

-- name: copy_events_clear
-- behind key $1, up to key $2
DELETE FROM events WHERE id > $1 AND id <= $2;

-- name: copy_events_put
-- all columns, as copy_events_read
INSERT INTO events (id, at, event, outcome, username, ip, session,
       request_id, actor, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: copy_markers_read
-- $1 key to go on behind, $2 how many
SELECT name, session_id, expires_at
  FROM markers
 WHERE name > $1
 ORDER BY name
 LIMIT $2;

-- name: copy_markers_clear
-- behind key $1, up to key $2
DELETE FROM markers WHERE name > $1 AND name <= $2;

-- name: copy_markers_put
-- all columns, as copy_markers_read
INSERT INTO markers (name, session_id, expires_at)
VALUES ($1, $2, $3);

-- name: copy_handoffs_read
-- $1 key to go on behind, $2 how many
SELECT code_hash, session_id, origin, browser, expires_at
  FROM handoffs
 WHERE code_hash > $1
 ORDER BY code_hash
 LIMIT $2;

-- name: copy_handoffs_clear
-- behind key $1, up to key $2
DELETE FROM handoffs WHERE code_hash > $1 AND code_hash <= $2;

-- name: copy_handoffs_put
-- all columns, as copy_handoffs_read
INSERT INTO handoffs (code_hash, session_id, origin, browser, expires_at)
VALUES ($1, $2, $3, $4, $5);

-- name: copy_rows
-- how many there are to copy
SELECT (SELECT count(*) FROM settings) +
       (SELECT count(*) FROM users) +
       (SELECT count(*) FROM user_groups) +
       (SELECT count(*) FROM sessions) +
       (SELECT count(*) FROM devices) +
       (SELECT count(*) FROM one_use_links) +
       (SELECT count(*) FROM second_factors) +
       (SELECT count(*) FROM recovery_codes) +
       (SELECT count(*) FROM throttle) +
       (SELECT count(*) FROM hours) +
       (SELECT count(*) FROM session_samples) +
       (SELECT count(*) FROM events) +
       (SELECT count(*) FROM markers) +
       (SELECT count(*) FROM handoffs);

-- name: copy_is_used
-- 0 when a store has never been used: nobody in it, nothing happened
SELECT (SELECT count(*) FROM (SELECT id FROM users LIMIT 1) AS step) +
       (SELECT count(*) FROM (SELECT id FROM sessions LIMIT 1) AS step) +
       (SELECT count(*) FROM (SELECT id FROM events LIMIT 1) AS step);
