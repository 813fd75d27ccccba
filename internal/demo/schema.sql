CREATE TABLE packages (
    id       INTEGER PRIMARY KEY,
    path     TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    synopsis TEXT NOT NULL,
    files    INTEGER NOT NULL,
    version  INTEGER NOT NULL DEFAULT 1 -- raised by every write to the package
);
CREATE TABLE symbols (
    id         INTEGER PRIMARY KEY,
    package_id INTEGER NOT NULL REFERENCES packages (id),
    kind       TEXT NOT NULL, -- const, var, func, type, method
    name       TEXT NOT NULL, -- methods as Type.Name
    word       TEXT NOT NULL, -- what a search compares with: the last part of name, in lower case
    decl       TEXT NOT NULL,
    synopsis   TEXT NOT NULL
);
CREATE TABLE docs (
    package_id INTEGER NOT NULL REFERENCES packages (id),
    symbol_id  INTEGER REFERENCES symbols (id), -- NULL: the package's own
    text       TEXT NOT NULL
);
CREATE TABLE imports (
    package_id INTEGER NOT NULL REFERENCES packages (id),
    path       TEXT NOT NULL,
    PRIMARY KEY (package_id, path)
) WITHOUT ROWID;
-- What the lists show has versions too: one per group of search words, one for
-- the aggregate.
CREATE TABLE revisions (
    thing   TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;
