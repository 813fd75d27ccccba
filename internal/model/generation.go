package model

import "github.com/larder-go/larder/conn"

// generation is what stands under the key of a tag or a namespace.
type generation string

func (g generation) current(life string) bool {
	return len(g) >= 40 && len(g) <= 104 && g[:8] != zero && string(g[8:16]) == life
}

func (g generation) barred(now int64) bool {
	if len(g) < 40 || g[:8] != zero || g[24:32] != hold {
		return false
	}
	deadline := num(string(g), 32)
	return deadline > now && deadline <= now+maxLease
}

func (g generation) madeAt(life string, now int64) int64 {
	if g.current(life) || g.barred(now) {
		return num(string(g), 16)
	}
	return 0
}

func (g generation) writers(now int64) (ws []writer) {
	if !g.barred(now) {
		return nil
	}
	for i := 40; i+16 <= len(g); i += 16 {
		w := writer{string(g[i : i+8]), num(string(g), i+8)}
		if w.deadline > now && w.deadline <= now+maxLease {
			ws = append(ws, w)
		}
	}
	return ws
}

func (m *Model) generationLocked(key string) generation {
	it, _ := m.getLocked(key)
	return generation(it.value)
}

func (m *Model) captureLocked(key string, a []string) conn.Value {
	now, ttl := clock(), number(a[1])
	g := m.generationLocked(key)
	if !g.barred(now) {
		it, ok := m.getLocked(key)
		switch {
		case !g.current(m.life):
			g = generation(a[0] + m.life + be(now) + zero + zero)
			m.setLocked(key, string(g), now+ttl)
		case 4*m.ttlLocked(it, ok) < 3*ttl:
			m.expireLocked(key, now+ttl)
		}
	}
	return list(text(string(g)), integer(now))
}

func (m *Model) bumpLocked(key string, a []string) conn.Value {
	now := clock()
	g := m.generationLocked(key)
	if g.barred(now) {
		return integer(1)
	}
	made, over := g.madeAt(m.life, now), number(a[2])
	if a[3] != "" && made > 0 && string(g[:8]) != a[3] && g[24:32] == zero {
		return integer(0)
	}
	previous := zero
	if over > 0 && made > 0 {
		previous = string(g[:8])
	}
	it, ok := m.getLocked(key)
	ttl := max(m.ttlLocked(it, ok), number(a[1]))
	m.setLocked(key, a[0]+m.life+be(max(made+1, now))+previous+be(over)+a[4], now+ttl)
	return integer(1)
}

func (m *Model) putGenerationBarrierLocked(key string, ws []writer, made int64) {
	payload, last := encode(ws)
	m.setLocked(key, zero+m.life+be(made)+hold+be(last)+payload, last)
}

func (m *Model) barGenerationLocked(key string, a []string) conn.Value {
	now := clock()
	g := m.generationLocked(key)
	ws, stands := admit(g.writers(now), a[0], now+number(a[1]), a[2] == "1")
	if stands {
		m.putGenerationBarrierLocked(key, ws, max(g.madeAt(m.life, now)+1, now))
	}
	return flag(stands)
}

func (m *Model) liftGenerationLocked(key string, a []string) conn.Value {
	now := clock()
	g := m.generationLocked(key)
	ws := g.writers(now)
	if place := placeOf(ws, a[0]); place >= 0 && ws[place].token == a[0] {
		ws = append(ws[:place], ws[place+1:]...)
	}
	made := max(g.madeAt(m.life, now)+1, now)
	if len(ws) > 0 {
		m.putGenerationBarrierLocked(key, ws, made)
		return integer(0)
	}
	m.setLocked(key, a[1]+m.life+be(made)+zero+zero+a[3], now+number(a[2]))
	return integer(1)
}
