package catalog

import "testing"

// given are the names of users' relations and functions in the tests.
func given(name string) bool { return name == "audit" || name == "mine" || name == "format" }

func TestBodies(t *testing.T) {
	t.Parallel()
	const understood, tame, wild = "understood", "tame", "wild"
	for _, test := range []struct{ source, want string }{
		{"BEGIN NEW.at := now(); RETURN NEW; END", understood},
		{`BEGIN NEW."updatedAt" = clock_timestamp(); RETURN NEW; END`, understood},
		{"BEGIN IF NEW.a IS DISTINCT FROM OLD.a THEN RAISE EXCEPTION 'DELETE FROM audit %', OLD.a; END IF; RETURN NULL; END;", understood},
		{"DECLARE n integer := 0; m text; BEGIN n := NEW.a + 1; NEW.a = n; RETURN NEW; END", understood},
		{"BEGIN PERFORM pg_notify('x', NEW.id::text); RETURN NEW; END", understood},
		{"BEGIN INSERT INTO audit VALUES (NEW.id, 'it''s; DELETE'); RETURN NEW; END", understood},
		{"BEGIN IF true THEN DELETE FROM audit; ELSE UPDATE audit SET a = 1; END IF; END", understood},

		// What the words do not show.
		{"BEGIN EXECUTE 'DELETE FROM audit'; END", wild},
		{"BEGIN PERFORM mine(); END", wild},
		{"BEGIN NEW.a := format('x'); RETURN NEW; END", wild},
		{"BEGIN NEW.a := other.now(); RETURN NEW; END", tame},
		{"BEGIN NEW.a := new(1); RETURN NEW; END", tame},
		{"DECLARE now integer; BEGIN NEW.a := now(); RETURN NEW; END", understood},
		{"DECLARE f integer; BEGIN NEW.a := f(); RETURN NEW; END", tame},
		{"BEGIN NEW.a := \"now\"(); RETURN NEW; END", tame},
		{"BEGIN PERFORM 1 FROM audit; END", tame},
		{"BEGIN SELECT count(*) INTO NEW.a FROM audit; RETURN NEW; END", tame},
		{"BEGIN FOR i IN 1..3 LOOP DELETE FROM audit; END LOOP; END", tame},
		{"BEGIN INSERT INTO audit SELECT CASE WHEN true THEN 1 ELSE 2 END; END", tame},
		{"BEGIN TRUNCATE audit; END", tame},
		{"BEGIN MERGE INTO audit USING x ON true WHEN MATCHED THEN DELETE; END", tame},

		// Texts that may hide something.
		{"BEGIN NEW.a := $q$ ' $q$; DELETE FROM audit; -- '\n RETURN NEW; END", wild},
		{`BEGIN NEW.a := E'\''; DELETE FROM audit; --'` + "\n RETURN NEW; END", wild},
		{"BEGIN /* ' */ DELETE FROM audit; -- '\n END", wild},

		{"", understood},
		{"DECLARE ; BEGIN \" ' -- \xff", tame},

		// Definitions and sessions.
		{"BEGIN CREATE TABLE x (); END", wild},
		{"BEGIN SET search_path = x; END", wild},
		{"BEGIN UPDATE audit SET a = 1; SET search_path = x; END", wild},
		{"BEGIN PERFORM set_config('search_path', 'x', false); END", wild},
		{"BEGIN CREATE TEMPORARY TABLE x (); END", wild},
	} {
		got := wild
		if b := newBody(routineRow{Source: test.source, Language: "plpgsql"}, given); b.understood {
			got = understood
		} else if b.tame {
			got = tame
		}
		if got != test.want {
			t.Errorf("%s\n is %s, want %s", test.source, got, test.want)
		}
	}
	for _, r := range []routineRow{
		{Source: "BEGIN END", Language: "plperl"},
		{Source: "BEGIN END", Language: "plpgsql", Special: true},
	} {
		if b := newBody(r, given); b.understood || b.tame {
			t.Errorf("%+v is understood %t, tame %t", r, b.understood, b.tame)
		}
	}
}
