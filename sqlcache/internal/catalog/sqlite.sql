-- What SQLite knows of the tables in its main database, as one JSON document: the fields
-- of sqliteRows. A subquery forgets that its text is JSON; json() says it again.
WITH main AS (
  SELECT l.name, l.type, s.sql
  FROM pragma_table_list l LEFT JOIN main.sqlite_schema s ON s.name = l.name AND s.type IN ('table', 'view')
  WHERE l.schema = 'main'
)
SELECT json_object(
  'tables', json((
    SELECT json_group_array(json_object('name', m.name, 'type', m.type, 'sql', coalesce(m.sql, ''))) FROM main m
  )),
  'temporary', json((
    SELECT json_group_array(l.name) FROM pragma_table_list l WHERE l.schema = 'temp'
  )),
  'columns', json((
    SELECT json_group_array(json_object(
      'table', m.name, 'name', c.name, 'type', c.type, 'key', c.pk, 'generated', json(iif(c.hidden > 1, 'true', 'false'))))
    FROM main m JOIN pragma_table_xinfo(m.name, 'main') c WHERE c.pk > 0 OR c.hidden > 1
  )),
  'indexed', json((
    SELECT json_group_array(m.name) FROM main m JOIN pragma_index_list(m.name, 'main') i WHERE i.origin = 'pk'
  )),
  'foreign_keys', json((
    SELECT json_group_array(json_object(
      'child', m.name, 'parent', f."table", 'column', f."from", 'references', coalesce(f."to", ''),
      'on_delete', f.on_delete, 'on_update', f.on_update))
    FROM main m JOIN pragma_foreign_key_list(m.name, 'main') f
  )),
  'triggers', json((
    SELECT json_group_array(json_object('table', t.tbl_name, 'sql', t.sql))
    FROM (SELECT type, tbl_name, sql FROM main.sqlite_schema UNION ALL SELECT type, tbl_name, sql FROM temp.sqlite_schema) t
    WHERE t.type = 'trigger'
  )),
  'functions', json((
    SELECT json_group_array(json_object(
      'name', f.name, 'builtin', json(iif(f.builtin, 'true', 'false')), 'deterministic', json(iif(f.deterministic, 'true', 'false'))))
    FROM (
      -- The worst of the overloads; those of windows and aggregates do not say.
      SELECT name, min(builtin) AS builtin, min(flags & 0x800 OR builtin AND type IN ('a', 'w')) AS deterministic
      FROM pragma_function_list GROUP BY name
    ) f
  ))
)
