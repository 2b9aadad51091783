// express-session with SQLite, as its documentation has it: sign in by POST
// /login, then GET /session says who it is.
'use strict';
const Database = require('better-sqlite3');
const express = require('express');
const session = require('express-session');
const Store = require('better-sqlite3-session-store')(session);

const [socket, file] = process.argv.slice(2);
const client = new Database(file);
client.pragma('journal_mode = WAL');
const app = express();
app.use(session({
  store: new Store({ client, expired: { clear: false } }),
  secret: 'of this benchmark only',
  resave: false,
  saveUninitialized: false,
}));
app.post('/login', (req, res) => {
  req.session.user = 'alice';
  res.json({ user: 'alice' });
});
app.get('/session', (req, res) => {
  if (!req.session.user) return res.status(401).end();
  return res.json({ user: req.session.user });
});
app.listen(socket);
