-- As schema.sql and index.sql, for PostgreSQL. The search path is the schema alone.
-- Words are compared by their bytes, whatever the language of the database.
CREATE SCHEMA larder_demo;
CREATE TABLE packages (
    id       bigint PRIMARY KEY,
    path     text COLLATE "C" NOT NULL UNIQUE,
    name     text NOT NULL,
    synopsis text NOT NULL,
    files    integer NOT NULL,
    version  bigint NOT NULL DEFAULT 1
);
CREATE TABLE symbols (
    id         bigint PRIMARY KEY,
    package_id bigint NOT NULL REFERENCES packages,
    kind       text NOT NULL,
    name       text COLLATE "C" NOT NULL,
    word       text COLLATE "C" NOT NULL,
    decl       text NOT NULL,
    synopsis   text NOT NULL
);
CREATE TABLE docs (
    package_id bigint NOT NULL REFERENCES packages,
    symbol_id  bigint REFERENCES symbols,
    text       text NOT NULL
);
CREATE TABLE imports (
    package_id bigint NOT NULL REFERENCES packages,
    path       text COLLATE "C" NOT NULL,
    PRIMARY KEY (package_id, path)
);
CREATE TABLE revisions (
    thing   text PRIMARY KEY,
    version bigint NOT NULL
);
CREATE INDEX symbols_by_package ON symbols (package_id);
CREATE INDEX symbols_by_word ON symbols (word);
CREATE INDEX docs_by_package ON docs (package_id);
CREATE INDEX imports_by_path ON imports (path);
