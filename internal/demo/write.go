package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/larder-go/larder"
)

// editMark is the SQL that marks a synopsis as edited, replacing an earlier mark.
const editMark = `substr(synopsis, 1, instr(synopsis || ' [edit ', ' [edit ') - 1) || ' [edit ' || ? || ']'`

// edit changes the synopsis of a package and of one of its symbols, "" meaning
// none, and returns the new version of everything that shows them. When it
// returns, the transaction has been committed.
func (s *store) edit(ctx context.Context, path, symbol string) ([]revision, error) {
	var written []revision
	err := s.transact(ctx, func(tx *sql.Tx) error {
		var id, version int64
		err := tx.QueryRowContext(ctx, `
			UPDATE packages SET version = version + 1 WHERE path = ? RETURNING id, version`, path).Scan(&id, &version)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE packages SET synopsis = `+editMark+` WHERE id = ?`, version-1, id); err != nil {
			return err
		}
		written = []revision{{packageThing(path), version}}
		things := []string{statsThing}
		if symbol != "" {
			var word string
			err := tx.QueryRowContext(ctx, `
				UPDATE symbols SET synopsis = `+editMark+`
				WHERE package_id = ? AND name = ? RETURNING word`, version-1, id, symbol).Scan(&word)
			if err != nil {
				return err
			}
			things = append(things, searchThing(word))
		}
		for _, thing := range things {
			err := tx.QueryRowContext(ctx, `
				INSERT INTO revisions (thing, version) VALUES (?, 1)
				ON CONFLICT (thing) DO UPDATE SET version = version + 1 RETURNING version`, thing).Scan(&version)
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
