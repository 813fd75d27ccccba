CREATE TABLE authors (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, books int NOT NULL DEFAULT 0);
CREATE TABLE books (
	id bigint PRIMARY KEY,
	author_id bigint REFERENCES authors ON DELETE CASCADE ON UPDATE CASCADE,
	title text NOT NULL,
	price int NOT NULL CHECK (price >= 0));
CREATE TABLE labels (book_id bigint REFERENCES books ON DELETE CASCADE ON UPDATE CASCADE, label text, PRIMARY KEY (book_id, label));
CREATE TABLE codes (code text PRIMARY KEY, n int NOT NULL);
CREATE TABLE log (id bigint, area int, n int NOT NULL, PRIMARY KEY (id, area)) PARTITION BY LIST (area);
CREATE TABLE log_a PARTITION OF log FOR VALUES IN (0, 1);
CREATE TABLE log_b PARTITION OF log FOR VALUES IN (2, 3);
CREATE VIEW cheap AS SELECT id, author_id, title, price FROM books WHERE price < 50;
CREATE VIEW per_author AS
	SELECT a.id, a.name, count(c.id) AS n, coalesce(sum(c.price), 0) AS total
	FROM authors a LEFT JOIN cheap c ON c.author_id = a.id GROUP BY a.id;

CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE authors SET books = books + 1 WHERE id = NEW.author_id;
	RETURN NEW;
END $$;
CREATE TRIGGER counted AFTER INSERT ON books FOR EACH ROW EXECUTE FUNCTION counted();

CREATE FUNCTION raise_prices(by_at_most int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	UPDATE books SET price = price + by_at_most WHERE price < 90;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 6) i;
INSERT INTO books SELECT i, i % 6 + 1, 'book ' || i, i * 7 % 100 FROM generate_series(1, 20) i;
INSERT INTO labels SELECT i, 'l' || i % 3 FROM generate_series(1, 20) i;
INSERT INTO codes SELECT 'c' || i, i FROM generate_series(1, 6) i;
INSERT INTO log SELECT i, i % 4, i FROM generate_series(1, 12) i;
