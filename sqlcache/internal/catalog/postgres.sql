-- What PostgreSQL knows of its tables, as one JSON document: the fields of
-- postgresRows. Objects of users have an oid of 16384 or more. Tables,
-- functions and types are qualified, since nobody knows the search path. Lists end after $limit + 1 elements, and the
-- loader refuses those that reach it.
WITH
  relation AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_toast'
    LIMIT $limit + 1
  ),
  -- Functions of users, with what is called in them; an aggregate says nothing of its
  -- own volatility.
  routine AS (
    SELECT p.oid, n.nspname, p.proname, l.lanname, p.prosrc,
      p.proconfig IS NOT NULL OR p.prosqlbody IS NOT NULL AS special,
      CASE p.prokind WHEN 'a' THEN (
        SELECT pg_catalog.max(f.provolatile::pg_catalog.text)
        FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc f ON f.oid IN (
          a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
          a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
        WHERE a.aggfnoid = p.oid
      ) ELSE p.provolatile::pg_catalog.text END AS volatility
    FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.oid >= 16384
    LIMIT $limit + 1
  ),
  -- Functions that PostgreSQL calls by itself and that may read or write tables.
  hidden AS (
    SELECT oid FROM routine WHERE volatility <> 'i' AND lanname NOT IN ('c', 'internal')
  ),
  -- Where a relation calls functions of users: defaults, generated columns, checks,
  -- policies; views.
  caller AS (
    SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass AS class, oid, adrelid AS relation, false AS policy
    FROM pg_catalog.pg_attrdef
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, oid, conrelid, false
    FROM pg_catalog.pg_constraint WHERE contype = 'c'
    UNION ALL
    SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, oid, polrelid, true FROM pg_catalog.pg_policy
    UNION ALL
    SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass, oid, ev_class, false
    FROM pg_catalog.pg_rewrite WHERE rulename = '_RETURN'
  )
SELECT pg_catalog.json_build_object(
  'path', pg_catalog.current_schemas(true),
  'relations', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', r.oid::pg_catalog.int8, 'schema', r.nspname, 'name', r.relname, 'kind', r.relkind,
      'temporary', r.relpersistence = 't', 'security', r.relrowsecurity,
      'generated', EXISTS (
        SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = r.oid AND a.attgenerated <> ''),
      'definition', CASE WHEN r.relkind = 'v' AND r.oid >= 16384 THEN pg_catalog.pg_get_viewdef(r.oid) END
    )) FROM relation r
  ),
  'keys', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object('relation', k.indrelid::pg_catalog.int8, 'columns', k.columns))
    FROM (
      SELECT i.indrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
        'name', a.attname, 'type', a.atttypid::pg_catalog.int8, 'generated', a.attgenerated <> '',
        'deterministic', coalesce(l.collisdeterministic, true)
      ) ORDER BY u.n) AS columns
      FROM relation r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid AND i.indisprimary
        CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY u(attnum, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
      WHERE r.oid >= 16384 AND u.n <= i.indnkeyatts
      GROUP BY i.indrelid
      LIMIT $limit + 1
    ) k
  ),
  'parents', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_array(i.inhrelid::pg_catalog.int8, i.inhparent::pg_catalog.int8))
    FROM (SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits i LIMIT $limit + 1) i
  ),
  'foreign_keys', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'child', f.conrelid::pg_catalog.int8, 'parent', f.confrelid::pg_catalog.int8,
      'on_delete', f.confdeltype, 'on_update', f.confupdtype,
      'columns', (SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey)),
      'references', (SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = f.confrelid AND a.attnum = ANY (f.confkey))
    ))
    FROM (
      SELECT * FROM pg_catalog.pg_constraint
      WHERE contype = 'f' AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
      LIMIT $limit + 1
    ) f
  ),
  'triggers', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'relation', t.tgrelid::pg_catalog.int8, 'function', t.tgfoid::pg_catalog.int8, 'type', t.tgtype,
      'builtin', (SELECT p.proname FROM pg_catalog.pg_proc p WHERE p.oid = t.tgfoid AND p.oid < 16384)
    ))
    FROM (SELECT * FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D' LIMIT $limit + 1) t
  ),
  'rules', (
    SELECT pg_catalog.json_agg(r.ev_class::pg_catalog.int8)
    FROM (
      SELECT ev_class FROM pg_catalog.pg_rewrite
      WHERE rulename <> '_RETURN' AND ev_enabled <> 'D' AND ev_class >= 16384 LIMIT $limit + 1
    ) r
  ),
  'views', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_array(v.ev_class::pg_catalog.int8, v.refobjid::pg_catalog.int8))
    FROM (
      SELECT DISTINCT r.ev_class, d.refobjid
      FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      WHERE r.rulename = '_RETURN' AND r.ev_class >= 16384 AND d.refobjid <> r.ev_class
      LIMIT $limit + 1
    ) v
  ),
  'calls', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'relation', c.relation::pg_catalog.int8, 'function', c.refobjid::pg_catalog.int8, 'policy', c.policy))
    FROM (
      SELECT DISTINCT c.relation, d.refobjid, c.policy
      FROM caller c JOIN pg_catalog.pg_depend d ON d.classid = c.class AND d.objid = c.oid
        AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      WHERE c.relation <> 0
      LIMIT $limit + 1
    ) c
  ),
  'routines', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', r.oid::pg_catalog.int8, 'schema', r.nspname, 'name', r.proname, 'volatility', r.volatility,
      'language', r.lanname, 'special', r.special, 'source', pg_catalog.left(r.prosrc, 20000)
    )) FROM routine r
  ),
  'builtin', (
    SELECT pg_catalog.json_object_agg(p.proname, p.volatility)
    FROM (
      SELECT proname, pg_catalog.max(provolatile::pg_catalog.text) AS volatility
      FROM pg_catalog.pg_proc WHERE oid < 16384 GROUP BY proname
    ) p
  ),
  'operators', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', o.oprname, 'volatility', o.provolatile))
    FROM (
      SELECT o.oprname, pg_catalog.max(p.provolatile::pg_catalog.text) AS provolatile
      FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
      WHERE o.oid >= 16384 GROUP BY o.oprname
      LIMIT $limit + 1
    ) o
  ),
  'types', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', t.oid::pg_catalog.int8, 'schema', n.nspname, 'name', t.typname, 'kind', t.typtype, 'base', t.typbasetype::pg_catalog.int8,
      'input', (SELECT p.provolatile FROM pg_catalog.pg_proc p WHERE p.oid = t.typinput)
    ))
    FROM (
      SELECT * FROM pg_catalog.pg_type t
      WHERE t.oid >= 16384 AND t.typtype IN ('b', 'd', 'e', 'r', 'm') AND t.typelem = 0
      LIMIT $limit + 1
    ) t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  ),
  -- Functions of users behind casts, operators that look built in, and domains: no
  -- statement names them.
  'hidden', (
    SELECT pg_catalog.json_agg(DISTINCT h.what)
    FROM (
      SELECT 'a cast calls ' || p.proname AS what
      FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc WHERE p.oid IN (SELECT oid FROM hidden)
      UNION ALL
      SELECT 'the operator ' || o.oprname || ' calls ' || p.proname
      FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
      WHERE p.oid IN (SELECT oid FROM hidden)
        AND EXISTS (SELECT FROM pg_catalog.pg_operator b WHERE b.oid < 16384 AND b.oprname = o.oprname)
      UNION ALL
      SELECT 'the domain ' || t.typname || ' calls ' || p.proname
      FROM pg_catalog.pg_type t
        JOIN pg_catalog.pg_constraint c ON c.contypid = t.oid
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
      WHERE p.oid IN (SELECT oid FROM hidden)
    ) h
  )
)::pg_catalog.text
