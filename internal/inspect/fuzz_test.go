package inspect

import "testing"

// FuzzSplit: what is taken apart is put together again, and no namespace comes out
// that a cache could not have.
func FuzzSplit(f *testing.F) {
	f.Add("user:42")
	f.Add("~ns:user")
	f.Add("a b:c")
	f.Add("user:")
	f.Fuzz(func(t *testing.T, arg string) {
		ns, key, err := Split(arg)
		if err != nil {
			if !IsName(err) {
				t.Errorf("%q: %v", arg, err)
			}
			return
		}
		if again, err := redisKey(ns, key); err != nil || again != arg || CheckNamespace(ns) != nil {
			t.Errorf("%q is %q and %q, then %q, %v", arg, ns, key, again, err)
		}
	})
}
