package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/larder-go/larder"
)

// marked replaces the mark of an earlier edit at the end of a synopsis.
func marked(synopsis string, edit int64) string {
	synopsis, _, _ = strings.Cut(synopsis, " [edit ")
	return fmt.Sprintf("%s [edit %d]", synopsis, edit)
}

// edit changes the synopsis of a package and of one of its symbols, "" meaning
// none, and returns the new version of everything that shows them. When it
// returns, the transaction has been committed.
func (s *store) edit(ctx context.Context, path, symbol string) ([]revision, error) {
	var written []revision
	err := s.transact(ctx, func(tx *sql.Tx) error {
		var id, version int64
		var synopsis string
		err := tx.QueryRowContext(ctx, `
			UPDATE packages SET version = version + 1 WHERE path = $1 RETURNING id, version, synopsis`, path).
			Scan(&id, &version, &synopsis)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE packages SET synopsis = $1 WHERE id = $2`, marked(synopsis, version-1), id)
		if err != nil {
			return err
		}
		written = []revision{{packageThing(path), version}}
		things := []string{statsThing}
		if symbol != "" {
			var symbolID int64
			var word string
			err := tx.QueryRowContext(ctx, `
				SELECT id, word, synopsis FROM symbols WHERE package_id = $1 AND name = $2`, id, symbol).
				Scan(&symbolID, &word, &synopsis)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE symbols SET synopsis = $1 WHERE id = $2`, marked(synopsis, version-1), symbolID)
			if err != nil {
				return err
			}
			things = append(things, searchThing(word))
		}
		for _, thing := range things {
			err := tx.QueryRowContext(ctx, `
				INSERT INTO revisions (thing, version) VALUES ($1, 1)
				ON CONFLICT (thing) DO UPDATE SET version = revisions.version + 1 RETURNING version`, thing).Scan(&version)
			if err != nil {
				return err
			}
			written = append(written, revision{thing, version})
		}
		return nil
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, larder.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("demo: write to the database: %w", err)
	}
	return written, nil
}

func (s *store) transact(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}
