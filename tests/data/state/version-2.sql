-- A state database as version 0.1.0 left it after a clean stop, when `listing_failed` was still called `poll_failed`.
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE images(
  id TEXT PRIMARY KEY, state TEXT NOT NULL, state_since INTEGER, last_complete INTEGER, last_attempt INTEGER,
  listing_complete INTEGER NOT NULL, shared_accounts INTEGER NOT NULL, unused_entries INTEGER NOT NULL,
  unlisted INTEGER NOT NULL, listings INTEGER NOT NULL, failures INTEGER NOT NULL,
  opened_unexpected INTEGER NOT NULL, opened_missing INTEGER NOT NULL,
  closed_unexpected INTEGER NOT NULL, closed_missing INTEGER NOT NULL, flaps INTEGER NOT NULL,
  last_complete_began INTEGER, total_count INTEGER NOT NULL DEFAULT -1, had_accounts INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE sightings(
  image TEXT NOT NULL, account TEXT NOT NULL, not_before INTEGER, first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL, first_missed INTEGER, PRIMARY KEY(image, account)) WITHOUT ROWID;
CREATE TABLE absences(
  image TEXT NOT NULL, account TEXT NOT NULL, first_missed INTEGER NOT NULL, last_seen INTEGER,
  absences INTEGER NOT NULL, PRIMARY KEY(image, account)) WITHOUT ROWID;
CREATE TABLE drifts(
  image TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL, since INTEGER NOT NULL, first_run INTEGER NOT NULL,
  PRIMARY KEY(image, kind, account)) WITHOUT ROWID;
CREATE TABLE events(
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, type TEXT NOT NULL, image TEXT NOT NULL,
  fields TEXT NOT NULL);
CREATE INDEX events_at ON events(at);
CREATE INDEX events_image ON events(image, id);
INSERT INTO meta VALUES('closes.allowed_by_config',0),('closes.image_gone',0),('closes.restored',0),('closes.revoked',3),
  ('closes.unwatched',1),('judged_at',1795000060000),('last_alive',1795000070000),('stopped',1);
INSERT INTO images VALUES('m-1','unreachable',1795000055000,1795000050000,1795000060000,0,2,1,0,12,4,2,0,1,0,0,1795000049000,2,1);
INSERT INTO sightings VALUES('m-1','1715107400000001',NULL,1795000010000,1795000050000,NULL),
  ('m-1','4242424242424242',1795000020000,1795000030000,1795000050000,NULL);
INSERT INTO drifts VALUES('m-1','4242424242424242','unexpected',1795000030000,0);
INSERT INTO events(at,type,image,fields) VALUES
  (1795000000000,'first_run','','{"images":1}'),
  (1795000030000,'drift_opened','m-1','{"image_name":"edge-base","account_id":"4242424242424242","kind":"unexpected","not_before":"2026-11-18T11:07:00.000Z","first_seen":"2026-11-18T11:07:10.000Z","last_seen":"2026-11-18T11:07:10.000Z","reason":"listed","first_run":false}'),
  (1795000055000,'poll_failed','m-1','{"image_name":"edge-base","reason":"connect","detail":"connection refused","failures":1}');
PRAGMA application_id=1396986438;
PRAGMA user_version=2;
