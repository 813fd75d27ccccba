package orm

import (
	"context"
	stdsql "database/sql"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqlgraph"
	"entgo.io/ent/schema/field"
)

// entStore does what the code that ent generates does.
type entStore struct{ drv dialect.Driver }

func newEnt(db *stdsql.DB) entStore { return entStore{sql.OpenDB(dialect.Postgres, db)} }

var (
	userColumns  = []string{"id", "name", "email", "balance", "settings", "joined"}
	orderColumns = []string{"id", "user_id", "total"}
)

func idSpec() *sqlgraph.FieldSpec { return sqlgraph.NewFieldSpec("id", field.TypeInt64) }

// query reads the rows of a table in their order; fields names the destinations of a
// row's columns.
func query[T any](ctx context.Context, drv dialect.Driver, table string, columns []string, where *sql.Predicate, fields func(*T) []any) ([]T, error) {
	var rows []T
	spec := sqlgraph.NewQuerySpec(table, columns, idSpec())
	spec.Order = func(s *sql.Selector) { s.OrderBy(s.C("id")) }
	spec.Predicate = func(s *sql.Selector) {
		if where != nil {
			s.Where(where)
		}
	}
	spec.ScanValues = func([]string) ([]any, error) {
		rows = append(rows, *new(T))
		return fields(&rows[len(rows)-1]), nil
	}
	spec.Assign = func([]string, []any) error { return nil }
	err := sqlgraph.QueryNodes(ctx, drv, spec)
	return rows, err
}

func userFields(u *User) []any {
	return []any{&u.ID, &u.Name, &u.Email, &u.Balance, &u.Settings, &u.Joined}
}

func userOf(ctx context.Context, drv dialect.Driver, id int64) (User, error) {
	users, err := query(ctx, drv, "users", userColumns, sql.EQ("id", id), userFields)
	if err == nil && len(users) == 0 {
		err = stdsql.ErrNoRows
	}
	if err != nil {
		return User{}, err
	}
	return users[0], nil
}

func (s entStore) user(ctx context.Context, id int64) (User, error) { return userOf(ctx, s.drv, id) }

func (s entStore) users(ctx context.Context) ([]User, error) {
	return query(ctx, s.drv, "users", userColumns, nil, userFields)
}

func (s entStore) withOrders(ctx context.Context) ([]User, error) {
	users, err := s.users(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]any, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	orders, err := query(ctx, s.drv, "orders", orderColumns, sql.In("user_id", ids...),
		func(o *Order) []any { return []any{&o.ID, &o.UserID, &o.Total} })
	return assign(users, orders), err
}

func (s entStore) lines(ctx context.Context) (lines []Line, err error) {
	b := sql.Dialect(dialect.Postgres)
	u, o := b.Table("users").As("u"), b.Table("orders").As("o")
	query, args := b.Select(u.C("name"), sql.As(sql.Count("*"), "orders"), sql.As(sql.Sum(o.C("total")), "spent")).
		From(u).Join(o).On(u.C("id"), o.C("user_id")).GroupBy(u.C("id")).OrderBy(u.C("id")).Query()
	rows := &sql.Rows{}
	if err := s.drv.Query(ctx, query, args, rows); err != nil {
		return nil, err
	}
	defer rows.Close()
	err = sql.ScanSlice(rows, &lines)
	return lines, err
}

func (s entStore) count(ctx context.Context) (int64, error) {
	n, err := sqlgraph.CountNodes(ctx, s.drv, sqlgraph.NewQuerySpec("users", nil, idSpec()))
	return int64(n), err
}

func createSpec(u User) *sqlgraph.CreateSpec {
	spec := sqlgraph.NewCreateSpec("users", idSpec())
	spec.SetField("name", field.TypeString, u.Name)
	spec.SetField("email", field.TypeString, u.Email)
	spec.SetField("balance", field.TypeInt64, u.Balance)
	spec.SetField("settings", field.TypeJSON, u.Settings)
	spec.SetField("joined", field.TypeTime, u.Joined)
	return spec
}

func (s entStore) create(ctx context.Context, u *User) error {
	spec := createSpec(*u)
	if err := sqlgraph.CreateNode(ctx, s.drv, spec); err != nil {
		return err
	}
	u.ID = spec.ID.Value.(int64)
	return nil
}

func (s entStore) order(ctx context.Context, user int64, total string) error {
	spec := sqlgraph.NewCreateSpec("orders", idSpec())
	spec.SetField("user_id", field.TypeInt64, user)
	spec.SetField("total", field.TypeString, total)
	return sqlgraph.CreateNode(ctx, s.drv, spec)
}

func (s entStore) rename(ctx context.Context, id int64, name string) error {
	key := idSpec()
	key.Value = id
	spec := sqlgraph.NewUpdateSpec("users", userColumns, key)
	spec.SetField("name", field.TypeString, name)
	var u User // as it is then: ent reads it in the transaction
	spec.ScanValues = func([]string) ([]any, error) { return userFields(&u), nil }
	spec.Assign = func([]string, []any) error { return nil }
	return sqlgraph.UpdateNode(ctx, s.drv, spec)
}

func (s entStore) upsert(ctx context.Context, u User) error {
	spec := createSpec(u)
	spec.OnConflict = []sql.ConflictOption{
		sql.ConflictColumns("email"),
		sql.ResolveWith(func(s *sql.UpdateSet) { s.SetExcluded("name").SetExcluded("balance") }),
	}
	return sqlgraph.CreateNode(ctx, s.drv, spec)
}

func (s entStore) remove(ctx context.Context, id int64) error {
	spec := sqlgraph.NewDeleteSpec("users", idSpec())
	spec.Predicate = func(s *sql.Selector) { s.Where(sql.EQ(s.C("id"), id)) }
	_, err := sqlgraph.DeleteNodes(ctx, s.drv, spec)
	return err
}

func (s entStore) transfer(ctx context.Context, from, to, amount int64) error {
	tx, err := s.drv.Tx(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	drv := txDriver{tx}
	add := func(id, amount int64) error {
		spec := sqlgraph.NewUpdateSpec("users", userColumns, idSpec())
		spec.Predicate = func(s *sql.Selector) { s.Where(sql.EQ(s.C("id"), id)) }
		spec.AddField("balance", field.TypeInt64, amount)
		_, err := sqlgraph.UpdateNodes(ctx, drv, spec)
		return err
	}
	if err := add(to, amount); err != nil {
		return err
	}
	if _, err := userOf(ctx, drv, to); err != nil {
		return err
	}
	if err := add(from, -amount); err != nil {
		return err
	}
	return tx.Commit()
}

// txDriver is a transaction as a driver, which ent generates too.
type txDriver struct{ dialect.ExecQuerier }

func (d txDriver) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(d), nil }
func (txDriver) Dialect() string                          { return dialect.Postgres }
func (txDriver) Close() error                             { return nil }
