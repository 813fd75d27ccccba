package orm

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// User and Order are rows, with the tags of all libraries.
type (
	User struct {
		ID       int64 `bun:",pk,autoincrement"`
		Name     string
		Email    *string
		Balance  int64
		Settings json.RawMessage `bun:"type:jsonb" gorm:"type:jsonb"`
		Joined   time.Time
		Orders   []Order `bun:"rel:has-many,join:id=user_id" db:"-"`
	}
	Order struct {
		ID     int64 `bun:",pk,autoincrement"`
		UserID int64 `db:"user_id"`
		Total  string
	}
	// Line is a row of a join with an aggregate.
	Line struct {
		Name   string
		Orders int64
		Spent  string
	}
)

// store is what an application does with its database, by one of the libraries.
type store interface {
	user(ctx context.Context, id int64) (User, error)
	users(ctx context.Context) ([]User, error)
	withOrders(ctx context.Context) ([]User, error) // loaded eagerly
	lines(ctx context.Context) ([]Line, error)
	count(ctx context.Context) (int64, error)

	create(ctx context.Context, u *User) error // gives u its ID
	order(ctx context.Context, user int64, total string) error
	rename(ctx context.Context, id int64, name string) error
	upsert(ctx context.Context, u User) error // by its e-mail address
	remove(ctx context.Context, id int64) error
	// transfer credits, looks at the credited user, and debits, in one transaction,
	// which the database refuses if that makes a balance negative.
	transfer(ctx context.Context, from, to, amount int64) error
}

// libraries open a store over a database.
var libraries = map[string]func(*sql.DB) (store, error){
	"sqlc": func(db *sql.DB) (store, error) { return sqlcStore{New(db), db}, nil },
	"sqlx": func(db *sql.DB) (store, error) { return newSQLX(db), nil },
	"gorm": func(db *sql.DB) (store, error) { return newGORM(db) },
	"bun":  func(db *sql.DB) (store, error) { return newBun(db), nil },
	"ent":  func(db *sql.DB) (store, error) { return newEnt(db), nil },
}
