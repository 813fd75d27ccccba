package sqlcache

import (
	"context"
	"database/sql"

	"github.com/larder-go/larder"
)

// WriteThrough changes a row in a transaction and puts what it has become into a cache of
// rows: Cache.WriteThrough around begin and commit. mutate writes through tx and returns
// the row as it is then, most often with RETURNING; where it fails or panics the
// transaction is rolled back. Once WriteThrough has returned nil, neither the cache nor a
// query that db has cached holds the old row.
func WriteThrough[K comparable, V any](
	ctx context.Context, db *sql.DB, cache *larder.Cache[K, V], key K, mutate func(ctx context.Context, tx *sql.Tx) (V, error),
) error {
	return cache.WriteThrough(ctx, key, func(ctx context.Context) (V, error) {
		var none V
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return none, err
		}
		defer func() { _ = tx.Rollback() }() // does nothing after Commit
		v, err := mutate(ctx, tx)
		if err != nil {
			return none, err
		}
		if err := tx.Commit(); err != nil {
			return none, err
		}
		return v, nil
	})
}
