package slot

import "testing"

// The first number is of the cluster specification; CLUSTER KEYSLOT gives the
// others, and is asked about more in redisconn.
func TestOf(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]uint16{
		"123456789": 0x31C3, "": 0, "foo": 12182, "{foo}x": 12182, "x{foo}{bar}": 12182,
	} {
		if got := Of(key); got != want {
			t.Errorf("the slot of %q is %d, want %d", key, got, want)
		}
	}
	if Of("{}foo") == Of("foo") {
		t.Error("an empty hash tag counts")
	}
}
