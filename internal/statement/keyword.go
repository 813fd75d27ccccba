package statement

// reserved tells whether a bare word cannot name a column, table or alias.
func reserved(s string) bool {
	switch s {
	case "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
		"both", "case", "cast", "check", "collate", "column", "constraint", "create",
		"current_catalog", "current_date", "current_role", "current_time",
		"current_timestamp", "current_user", "default", "deferrable", "desc", "distinct",
		"do", "else", "end", "except", "false", "fetch", "for", "foreign", "from", "grant",
		"group", "having", "in", "initially", "intersect", "into", "lateral", "leading",
		"limit", "localtime", "localtimestamp", "not", "null", "offset", "on", "only", "or",
		"order", "placing", "primary", "references", "returning", "select",
		"session_user", "some", "symmetric", "system_user", "table", "then", "to",
		"trailing", "true", "union", "unique", "user", "using", "variadic", "when",
		"where", "window", "with":
		return true
	case "insert", "update", "delete", "merge":
		// Names for PostgreSQL; but nobody who means a column should lead us to overlook
		// a write.
		return true
	}
	return false
}

// functional tells whether a bare word, though not reserved, may name only a
// function or a type.
func functional(s string) bool {
	switch s {
	case "authorization", "binary", "collation", "concurrently", "cross",
		"current_schema", "freeze", "full", "ilike", "inner", "is", "isnull", "join",
		"left", "like", "natural", "notnull", "outer", "overlaps", "right", "similar",
		"tablesample", "verbose":
		return true
	}
	return false
}

// environment tells whether a keyword stands for what the session or the clock say.
func environment(s string) bool {
	switch s {
	case "current_catalog", "current_date", "current_role", "current_schema",
		"current_time", "current_timestamp", "current_user", "localtime",
		"localtimestamp", "session_user", "system_user", "user":
		return true
	}
	return false
}

// builtinType tells whether a cast to the type needs no catalog: its input follows
// from the text and from the session's settings.
func builtinType(s string) bool {
	switch s {
	case "bool", "boolean", "smallint", "int2", "int", "integer", "int4", "bigint", "int8",
		"real", "float4", "float", "float8", "numeric", "decimal", "dec", "oid", "money",
		"text", "varchar", "char", "character", "bpchar", "nchar", "name", "bytea", "bit", "varbit",
		"uuid", "json", "jsonb", "jsonpath", "xml", "tsvector", "tsquery",
		"date", "time", "timestamp", "timestamptz", "interval",
		"inet", "cidr", "macaddr", "macaddr8",
		"point", "line", "lseg", "box", "path", "polygon", "circle",
		"int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange":
		return true
	}
	return false
}
