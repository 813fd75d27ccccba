CREATE INDEX symbols_by_package ON symbols (package_id);
CREATE INDEX symbols_by_word ON symbols (word);
CREATE INDEX docs_by_package ON docs (package_id);
CREATE INDEX imports_by_path ON imports (path);
ANALYZE;
