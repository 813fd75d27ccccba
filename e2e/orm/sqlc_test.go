package orm

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// What follows, down to sqlcStore, has the form in which sqlc writes code for
// database/sql.

type DBTX interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	PrepareContext(context.Context, string) (*sql.Stmt, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func New(db DBTX) *Queries { return &Queries{db: db} }

type Queries struct{ db DBTX }

func (q *Queries) WithTx(tx *sql.Tx) *Queries { return &Queries{db: tx} }

const getUser = `-- name: GetUser :one
SELECT id, name, email, balance, settings, joined FROM users
WHERE id = $1 LIMIT 1
`

func (q *Queries) GetUser(ctx context.Context, id int64) (User, error) {
	row := q.db.QueryRowContext(ctx, getUser, id)
	var i User
	err := row.Scan(&i.ID, &i.Name, &i.Email, &i.Balance, &i.Settings, &i.Joined)
	return i, err
}

const listUsers = `-- name: ListUsers :many
SELECT id, name, email, balance, settings, joined FROM users
ORDER BY id
`

func (q *Queries) ListUsers(ctx context.Context) ([]User, error) {
	rows, err := q.db.QueryContext(ctx, listUsers)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []User
	for rows.Next() {
		var i User
		if err := rows.Scan(&i.ID, &i.Name, &i.Email, &i.Balance, &i.Settings, &i.Joined); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return items, nil
}

const listOrdersOf = `-- name: ListOrdersOf :many
SELECT id, user_id, total FROM orders
WHERE user_id = ANY($1::bigint[])
ORDER BY id
`

func (q *Queries) ListOrdersOf(ctx context.Context, userIds []int64) ([]Order, error) {
	rows, err := q.db.QueryContext(ctx, listOrdersOf, userIds)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []Order
	for rows.Next() {
		var i Order
		if err := rows.Scan(&i.ID, &i.UserID, &i.Total); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return items, nil
}

const listLines = `-- name: ListLines :many
SELECT u.name, count(*) AS orders, sum(o.total) AS spent
FROM users u JOIN orders o ON o.user_id = u.id
GROUP BY u.id ORDER BY u.id
`

func (q *Queries) ListLines(ctx context.Context) ([]Line, error) {
	rows, err := q.db.QueryContext(ctx, listLines)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []Line
	for rows.Next() {
		var i Line
		if err := rows.Scan(&i.Name, &i.Orders, &i.Spent); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return items, nil
}

const countUsers = `-- name: CountUsers :one
SELECT count(*) FROM users
`

func (q *Queries) CountUsers(ctx context.Context) (int64, error) {
	row := q.db.QueryRowContext(ctx, countUsers)
	var count int64
	err := row.Scan(&count)
	return count, err
}

const createUser = `-- name: CreateUser :one
INSERT INTO users (name, email, balance, settings, joined)
VALUES ($1, $2, $3, $4, $5)
RETURNING id
`

type CreateUserParams struct {
	Name     string
	Email    *string
	Balance  int64
	Settings json.RawMessage
	Joined   time.Time
}

func (q *Queries) CreateUser(ctx context.Context, arg CreateUserParams) (int64, error) {
	row := q.db.QueryRowContext(ctx, createUser, arg.Name, arg.Email, arg.Balance, arg.Settings, arg.Joined)
	var id int64
	err := row.Scan(&id)
	return id, err
}

const createOrder = `-- name: CreateOrder :exec
INSERT INTO orders (user_id, total) VALUES ($1, $2)
`

func (q *Queries) CreateOrder(ctx context.Context, userID int64, total string) error {
	_, err := q.db.ExecContext(ctx, createOrder, userID, total)
	return err
}

const renameUser = `-- name: RenameUser :exec
UPDATE users SET name = $2 WHERE id = $1
`

func (q *Queries) RenameUser(ctx context.Context, id int64, name string) error {
	_, err := q.db.ExecContext(ctx, renameUser, id, name)
	return err
}

const upsertUser = `-- name: UpsertUser :exec
INSERT INTO users (name, email, balance, settings, joined)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (email) DO UPDATE SET name = excluded.name, balance = excluded.balance
`

func (q *Queries) UpsertUser(ctx context.Context, arg CreateUserParams) error {
	_, err := q.db.ExecContext(ctx, upsertUser, arg.Name, arg.Email, arg.Balance, arg.Settings, arg.Joined)
	return err
}

const deleteUser = `-- name: DeleteUser :exec
DELETE FROM users WHERE id = $1
`

func (q *Queries) DeleteUser(ctx context.Context, id int64) error {
	_, err := q.db.ExecContext(ctx, deleteUser, id)
	return err
}

const addToBalance = `-- name: AddToBalance :exec
UPDATE users SET balance = balance + $1 WHERE id = $2
`

func (q *Queries) AddToBalance(ctx context.Context, amount, id int64) error {
	_, err := q.db.ExecContext(ctx, addToBalance, amount, id)
	return err
}

// sqlcStore is the store by that code.
type sqlcStore struct {
	q  *Queries
	db *sql.DB
}

func (s sqlcStore) user(ctx context.Context, id int64) (User, error) { return s.q.GetUser(ctx, id) }

func (s sqlcStore) users(ctx context.Context) ([]User, error) { return s.q.ListUsers(ctx) }

func (s sqlcStore) withOrders(ctx context.Context) ([]User, error) {
	users, err := s.q.ListUsers(ctx)
	if err != nil {
		return nil, err
	}
	orders, err := s.q.ListOrdersOf(ctx, idsOf(users))
	return assign(users, orders), err
}

func (s sqlcStore) lines(ctx context.Context) ([]Line, error) { return s.q.ListLines(ctx) }

func (s sqlcStore) count(ctx context.Context) (int64, error) { return s.q.CountUsers(ctx) }

func (s sqlcStore) create(ctx context.Context, u *User) (err error) {
	u.ID, err = s.q.CreateUser(ctx, CreateUserParams{u.Name, u.Email, u.Balance, u.Settings, u.Joined})
	return err
}

func (s sqlcStore) order(ctx context.Context, user int64, total string) error {
	return s.q.CreateOrder(ctx, user, total)
}

func (s sqlcStore) rename(ctx context.Context, id int64, name string) error {
	return s.q.RenameUser(ctx, id, name)
}

func (s sqlcStore) upsert(ctx context.Context, u User) error {
	return s.q.UpsertUser(ctx, CreateUserParams{u.Name, u.Email, u.Balance, u.Settings, u.Joined})
}

func (s sqlcStore) remove(ctx context.Context, id int64) error { return s.q.DeleteUser(ctx, id) }

func (s sqlcStore) transfer(ctx context.Context, from, to, amount int64) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	q := s.q.WithTx(tx)
	if err := q.AddToBalance(ctx, amount, to); err != nil {
		return err
	}
	if _, err := q.GetUser(ctx, to); err != nil {
		return err
	}
	if err := q.AddToBalance(ctx, -amount, from); err != nil {
		return err
	}
	return tx.Commit()
}

func idsOf(users []User) []int64 {
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids
}

// assign gives users their orders, where a library does not.
func assign(users []User, orders []Order) []User {
	for _, o := range orders {
		for i := range users {
			if users[i].ID == o.UserID {
				users[i].Orders = append(users[i].Orders, o)
			}
		}
	}
	return users
}
