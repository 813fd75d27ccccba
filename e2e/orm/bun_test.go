package orm

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

type bunStore struct{ db *bun.DB }

func newBun(db *sql.DB) bunStore { return bunStore{bun.NewDB(db, pgdialect.New())} }

func (s bunStore) user(ctx context.Context, id int64) (User, error) {
	u := User{ID: id}
	err := s.db.NewSelect().Model(&u).WherePK().Scan(ctx)
	return u, err
}

func (s bunStore) users(ctx context.Context) (users []User, err error) {
	err = s.db.NewSelect().Model(&users).Order("id").Scan(ctx)
	return users, err
}

func (s bunStore) withOrders(ctx context.Context) (users []User, err error) {
	err = s.db.NewSelect().Model(&users).Order("id").
		Relation("Orders", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("id") }).Scan(ctx)
	return users, err
}

func (s bunStore) lines(ctx context.Context) (lines []Line, err error) {
	err = s.db.NewSelect().TableExpr("users AS u").
		ColumnExpr("u.name, count(*) AS orders, sum(o.total) AS spent").
		Join("JOIN orders AS o ON o.user_id = u.id").
		GroupExpr("u.id").OrderExpr("u.id").Scan(ctx, &lines)
	return lines, err
}

func (s bunStore) count(ctx context.Context) (int64, error) {
	return s.db.NewSelect().Model((*User)(nil)).Count(ctx)
}

func (s bunStore) create(ctx context.Context, u *User) error {
	_, err := s.db.NewInsert().Model(u).Exec(ctx)
	return err
}

func (s bunStore) order(ctx context.Context, user int64, total string) error {
	_, err := s.db.NewInsert().Model(&Order{UserID: user, Total: total}).Exec(ctx)
	return err
}

func (s bunStore) rename(ctx context.Context, id int64, name string) error {
	_, err := s.db.NewUpdate().Model(&User{ID: id, Name: name}).Column("name").WherePK().Exec(ctx)
	return err
}

func (s bunStore) upsert(ctx context.Context, u User) error {
	_, err := s.db.NewInsert().Model(&u).
		On("CONFLICT (email) DO UPDATE").Set("name = EXCLUDED.name, balance = EXCLUDED.balance").Exec(ctx)
	return err
}

func (s bunStore) remove(ctx context.Context, id int64) error {
	_, err := s.db.NewDelete().Model(&User{ID: id}).WherePK().Exec(ctx)
	return err
}

func (s bunStore) transfer(ctx context.Context, from, to, amount int64) error {
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		add := func(id, amount int64) error {
			_, err := tx.NewUpdate().Model((*User)(nil)).Set("balance = balance + ?", amount).Where("id = ?", id).Exec(ctx)
			return err
		}
		if err := add(to, amount); err != nil {
			return err
		}
		if err := tx.NewSelect().Model(&User{ID: to}).WherePK().Scan(ctx); err != nil {
			return err
		}
		return add(from, -amount)
	})
}
