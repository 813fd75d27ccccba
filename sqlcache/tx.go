package sqlcache

import (
	"context"
	"database/sql/driver"
	"reflect"
)

// tx is a driver's transaction.
type tx struct {
	base driver.Tx
	conn *conn
}

func (t *tx) Commit() error {
	end := t.conn.startCommit(context.Background(), false)
	err := t.base.Commit()
	end(err)
	return err
}

func (t *tx) Rollback() error {
	err := t.base.Rollback()
	t.conn.rolledBack(err, false)
	return err
}

// statusOf finds who knows the state of a connection's transaction: TxStatus, of the
// connection or, as with pgx, of what its methods Conn and PgConn lead to. They are found
// by name, so that nobody has to link pgx who does not use it.
func statusOf(base driver.Conn) func() byte {
	type teller interface{ TxStatus() byte }
	if t, ok := base.(teller); ok {
		return t.TxStatus
	}
	v := reflect.ValueOf(base)
	for _, name := range []string{"Conn", "PgConn"} {
		m := v.MethodByName(name)
		if !m.IsValid() || m.Type().NumIn() != 0 || m.Type().NumOut() != 1 {
			return nil
		}
		v = m.Call(nil)[0]
	}
	if t, ok := v.Interface().(teller); ok {
		return t.TxStatus
	}
	return nil
}
