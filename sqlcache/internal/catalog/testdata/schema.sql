-- A small schema with everything that makes one table depend on another.

-- Keys that name rows, and keys that do not.
CREATE DOMAIN identity AS bigint CHECK (VALUE > 0);
CREATE COLLATION insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE EXTENSION citext;
CREATE EXTENSION "uuid-ossp";
CREATE TABLE plain (id integer PRIMARY KEY, a integer, b text);
CREATE TABLE domained (id identity PRIMARY KEY, a integer);
CREATE TABLE named (name text PRIMARY KEY, a integer);
CREATE TABLE varying (name varchar(20) PRIMARY KEY, a integer);
CREATE TABLE identified (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), a integer);
CREATE TABLE paired (x smallint, y text, a integer, PRIMARY KEY (y, x) INCLUDE (a));
CREATE TABLE padded (name char(20) PRIMARY KEY, a integer);
CREATE TABLE folded (name citext PRIMARY KEY, a integer);
CREATE TABLE loose (name text COLLATE insensitive PRIMARY KEY, a integer);
CREATE TABLE exact (n numeric PRIMARY KEY, a integer);
CREATE TABLE computed (a integer, id integer GENERATED ALWAYS AS (a * 2) STORED PRIMARY KEY);
CREATE TABLE keyless (a integer);

-- Cascades three levels deep, with a reference of a table to itself.
CREATE TABLE grand (id integer PRIMARY KEY, code text UNIQUE, note text);
CREATE TABLE parent (
  id integer PRIMARY KEY, grand_id integer REFERENCES grand ON DELETE CASCADE,
  grand_code text REFERENCES grand (code) ON UPDATE CASCADE ON DELETE SET NULL UNIQUE);
CREATE TABLE child (
  id integer PRIMARY KEY, parent_id integer REFERENCES parent ON DELETE SET NULL,
  code text REFERENCES parent (grand_code) ON UPDATE CASCADE ON DELETE SET DEFAULT DEFAULT NULL);
CREATE TABLE strict (id integer PRIMARY KEY, grand_id integer REFERENCES grand);
CREATE TABLE tree (id integer PRIMARY KEY, up integer REFERENCES tree ON DELETE CASCADE, a integer);
CREATE TABLE doubled (
  a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED UNIQUE);
CREATE TABLE follower (twice integer REFERENCES doubled (twice) ON UPDATE CASCADE ON DELETE CASCADE);

-- Views.
CREATE VIEW simple AS SELECT id, a FROM plain;
CREATE VIEW nested AS SELECT s.id, n.a FROM simple s JOIN named n ON n.a = s.a;
CREATE VIEW timed AS SELECT id, now() AS t FROM plain;
CREATE VIEW settings AS SELECT name FROM pg_settings;
CREATE MATERIALIZED VIEW frozen AS SELECT count(*) AS n FROM plain;
CREATE SEQUENCE counter;

-- Partitions and inheritance.
CREATE TABLE event (id integer, day integer, a integer, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE event_early PARTITION OF event FOR VALUES FROM (0) TO (10);
CREATE TABLE event_late PARTITION OF event FOR VALUES FROM (10) TO (20) PARTITION BY LIST (day);
CREATE TABLE event_ten PARTITION OF event_late FOR VALUES IN (10, 11);
CREATE TABLE mention (id integer, event_id integer, event_day integer,
  FOREIGN KEY (event_id, event_day) REFERENCES event ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE animal (id integer PRIMARY KEY, a integer);
CREATE TABLE swimmer (id integer PRIMARY KEY, b integer);
CREATE TABLE duck () INHERITS (animal, swimmer);

-- Row security, foreign tables.
CREATE TABLE secret (id integer PRIMARY KEY, a integer);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
CREATE FOREIGN TABLE far (id integer) SERVER elsewhere;

-- Functions.
CREATE FUNCTION pure(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION looking() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM plain';
CREATE FUNCTION writing(n integer) RETURNS integer LANGUAGE sql AS 'INSERT INTO keyless VALUES (n); SELECT n';
CREATE FUNCTION dynamic() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM keyless'; END $$;
CREATE FUNCTION looping() RETURNS void LANGUAGE plpgsql AS $$
BEGIN FOR i IN 1..3 LOOP INSERT INTO keyless VALUES (i); END LOOP; END $$;
CREATE FUNCTION lower(integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN dynamic(); END $$;
CREATE FUNCTION step(integer, integer) RETURNS integer LANGUAGE sql STABLE AS 'SELECT $1 + (SELECT count(*) FROM plain)::integer';
CREATE AGGREGATE peeking(integer) (SFUNC = step, STYPE = integer, INITCOND = '0');
CREATE AGGREGATE honest(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE OPERATOR @+ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE OPERATOR @% (LEFTARG = integer, RIGHTARG = integer, FUNCTION = step);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE VIEW sly AS SELECT writing(1) AS n;

-- Triggers.
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  at_time timestamptz;
BEGIN
  at_time := now(); -- it's
  IF NEW.name IS NOT NULL THEN
    NEW."touchedAt" = at_time;
  ELSE
    RAISE EXCEPTION 'DELETE FROM nothing %', NEW.id;
  END IF;
  PERFORM pg_notify('touched', NEW.id::text);
  RETURN NEW;
END $$;
CREATE TABLE touched (id integer PRIMARY KEY, name text, "touchedAt" timestamptz);
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON touched FOR EACH ROW EXECUTE FUNCTION touch();

CREATE TABLE audit (what text, id integer);
CREATE FUNCTION record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO audit VALUES (TG_OP, OLD.id);
    RETURN OLD;
  END IF;
  INSERT INTO audit VALUES (TG_OP, NEW.id);
  RETURN NEW;
END $$;
CREATE TABLE audited (id integer PRIMARY KEY, a integer);
CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON audited FOR EACH ROW EXECUTE FUNCTION record();
CREATE TABLE audited_child (id integer PRIMARY KEY, audited_id integer REFERENCES audited ON DELETE CASCADE);
CREATE TABLE audited_parent (id integer PRIMARY KEY);
ALTER TABLE audited ADD parent_id integer REFERENCES audited_parent ON DELETE CASCADE;

CREATE TRIGGER record AFTER DELETE ON event_early FOR EACH ROW EXECUTE FUNCTION record();

CREATE FUNCTION relabel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.label := NEW.id; NEW.id := NEW.id + 1; RETURN NEW; END $$;
CREATE TABLE relabelled (id integer PRIMARY KEY, a integer, label integer UNIQUE);
CREATE TRIGGER relabel BEFORE UPDATE ON relabelled FOR EACH ROW EXECUTE FUNCTION relabel();
CREATE TABLE labels (label integer REFERENCES relabelled (label) ON UPDATE CASCADE);

CREATE FUNCTION anything() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN EXECUTE 'INSERT INTO audit VALUES ($1, 0)' USING TG_OP; RETURN NULL; END $$;
CREATE TABLE opaque (id integer PRIMARY KEY, a integer);
CREATE TRIGGER anything AFTER DELETE ON opaque FOR EACH ROW EXECUTE FUNCTION anything();
CREATE TABLE asleep (id integer PRIMARY KEY, a integer);
CREATE TRIGGER anything AFTER DELETE ON asleep FOR EACH ROW EXECUTE FUNCTION anything();
ALTER TABLE asleep DISABLE TRIGGER anything;
CREATE TABLE searchable (id integer PRIMARY KEY, body text, words tsvector);
CREATE TRIGGER words BEFORE INSERT OR UPDATE ON searchable FOR EACH ROW
  EXECUTE FUNCTION tsvector_update_trigger(words, 'pg_catalog.english', body);

CREATE VIEW guarded AS SELECT id, a FROM plain;
CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE keyless SET a = NEW.a; RETURN NEW; END $$;
CREATE TRIGGER instead INSTEAD OF UPDATE ON guarded FOR EACH ROW EXECUTE FUNCTION instead();

-- Rules, and functions that columns call.
CREATE TABLE ruled (id integer PRIMARY KEY, a integer);
CREATE RULE also AS ON DELETE TO ruled DO ALSO INSERT INTO audit VALUES ('rule', OLD.id);
CREATE TABLE numbered (id integer PRIMARY KEY, n integer DEFAULT writing(7));
CREATE TABLE checked (id integer PRIMARY KEY CHECK (writing(id) > 0));

-- The same name in another schema.
CREATE SCHEMA other;
CREATE TABLE other.plain (id integer PRIMARY KEY, a integer);
