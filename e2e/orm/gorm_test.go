package orm

import (
	"context"
	"database/sql"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

type gormStore struct{ db *gorm.DB }

func newGORM(db *sql.DB) (gormStore, error) {
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: db}), &gorm.Config{Logger: logger.Discard})
	return gormStore{g}, err
}

func (s gormStore) user(ctx context.Context, id int64) (u User, err error) {
	err = s.db.WithContext(ctx).First(&u, id).Error
	return u, err
}

func (s gormStore) users(ctx context.Context) (users []User, err error) {
	err = s.db.WithContext(ctx).Order("id").Find(&users).Error
	return users, err
}

func (s gormStore) withOrders(ctx context.Context) (users []User, err error) {
	err = s.db.WithContext(ctx).Preload("Orders", func(q *gorm.DB) *gorm.DB { return q.Order("id") }).Order("id").Find(&users).Error
	return users, err
}

func (s gormStore) lines(ctx context.Context) (lines []Line, err error) {
	err = s.db.WithContext(ctx).Model(&User{}).
		Select("users.name, count(*) AS orders, sum(orders.total) AS spent").
		Joins("JOIN orders ON orders.user_id = users.id").
		Group("users.id").Order("users.id").Scan(&lines).Error
	return lines, err
}

func (s gormStore) count(ctx context.Context) (n int64, err error) {
	err = s.db.WithContext(ctx).Model(&User{}).Count(&n).Error
	return n, err
}

func (s gormStore) create(ctx context.Context, u *User) error {
	return s.db.WithContext(ctx).Create(u).Error
}

func (s gormStore) order(ctx context.Context, user int64, total string) error {
	return s.db.WithContext(ctx).Create(&Order{UserID: user, Total: total}).Error
}

func (s gormStore) rename(ctx context.Context, id int64, name string) error {
	return s.db.WithContext(ctx).Model(&User{ID: id}).Update("name", name).Error
}

func (s gormStore) upsert(ctx context.Context, u User) error {
	return s.db.WithContext(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "email"}},
		DoUpdates: clause.AssignmentColumns([]string{"name", "balance"}),
	}).Create(&u).Error
}

func (s gormStore) remove(ctx context.Context, id int64) error {
	return s.db.WithContext(ctx).Delete(&User{}, id).Error
}

func (s gormStore) transfer(ctx context.Context, from, to, amount int64) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		add := func(id, amount int64) error {
			return tx.Model(&User{ID: id}).Update("balance", gorm.Expr("balance + ?", amount)).Error
		}
		if err := add(to, amount); err != nil {
			return err
		}
		if err := tx.First(&User{}, to).Error; err != nil {
			return err
		}
		return add(from, -amount)
	})
}
