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
// by name, so that nobody has to link pgx who does not use it; by constant names, without
// which the linker would keep every method of a program.
func statusOf(base driver.Conn) func() byte {
	type teller interface{ TxStatus() byte }
	if t, ok := base.(teller); ok {
		return t.TxStatus
	}
	if c, ok := got(reflect.ValueOf(base).MethodByName("Conn")); ok {
		if c, ok = got(c.MethodByName("PgConn")); ok {
			if t, ok := reflect.TypeAssert[teller](c); ok {
				return t.TxStatus
			}
		}
	}
	return nil
}

// got calls a method that takes nothing and returns one value, if it is one.
func got(method reflect.Value) (reflect.Value, bool) {
	if !method.IsValid() || method.Type().NumIn() != 0 || method.Type().NumOut() != 1 {
		return reflect.Value{}, false
	}
	return method.Call(nil)[0], true
}
