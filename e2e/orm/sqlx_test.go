package orm

import (
	"context"
	"database/sql"

	"github.com/jmoiron/sqlx"
)

type sqlxStore struct{ db *sqlx.DB }

func newSQLX(db *sql.DB) sqlxStore { return sqlxStore{sqlx.NewDb(db, "pgx")} }

func (s sqlxStore) user(ctx context.Context, id int64) (u User, err error) {
	err = s.db.GetContext(ctx, &u, "SELECT * FROM users WHERE id = $1", id)
	return u, err
}

func (s sqlxStore) users(ctx context.Context) (users []User, err error) {
	err = s.db.SelectContext(ctx, &users, "SELECT * FROM users ORDER BY id")
	return users, err
}

func (s sqlxStore) withOrders(ctx context.Context) ([]User, error) {
	users, err := s.users(ctx)
	if err != nil {
		return nil, err
	}
	query, args, err := sqlx.In("SELECT * FROM orders WHERE user_id IN (?) ORDER BY id", idsOf(users))
	if err != nil {
		return nil, err
	}
	var orders []Order
	err = s.db.SelectContext(ctx, &orders, s.db.Rebind(query), args...)
	return assign(users, orders), err
}

func (s sqlxStore) lines(ctx context.Context) (lines []Line, err error) {
	err = s.db.SelectContext(ctx, &lines, listLines)
	return lines, err
}

func (s sqlxStore) count(ctx context.Context) (n int64, err error) {
	err = s.db.GetContext(ctx, &n, "SELECT count(*) FROM users")
	return n, err
}

func (s sqlxStore) create(ctx context.Context, u *User) error {
	query, args, err := s.db.BindNamed(`INSERT INTO users (name, email, balance, settings, joined)
		VALUES (:name, :email, :balance, :settings, :joined) RETURNING id`, u)
	if err != nil {
		return err
	}
	return s.db.GetContext(ctx, &u.ID, query, args...)
}

func (s sqlxStore) order(ctx context.Context, user int64, total string) error {
	_, err := s.db.NamedExecContext(ctx, "INSERT INTO orders (user_id, total) VALUES (:user_id, :total)",
		Order{UserID: user, Total: total})
	return err
}

func (s sqlxStore) rename(ctx context.Context, id int64, name string) error {
	_, err := s.db.NamedExecContext(ctx, "UPDATE users SET name = :name WHERE id = :id", map[string]any{"id": id, "name": name})
	return err
}

func (s sqlxStore) upsert(ctx context.Context, u User) error {
	_, err := s.db.NamedExecContext(ctx, `INSERT INTO users (name, email, balance, settings, joined)
		VALUES (:name, :email, :balance, :settings, :joined)
		ON CONFLICT (email) DO UPDATE SET name = excluded.name, balance = excluded.balance`, u)
	return err
}

func (s sqlxStore) remove(ctx context.Context, id int64) error {
	_, err := s.db.ExecContext(ctx, "DELETE FROM users WHERE id = $1", id)
	return err
}

func (s sqlxStore) transfer(ctx context.Context, from, to, amount int64) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	const add = "UPDATE users SET balance = balance + $1 WHERE id = $2"
	if _, err := tx.ExecContext(ctx, add, amount, to); err != nil {
		return err
	}
	var u User
	if err := tx.GetContext(ctx, &u, "SELECT * FROM users WHERE id = $1", to); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, add, -amount, from); err != nil {
		return err
	}
	return tx.Commit()
}
