package dashboard

import (
	"time"

	"github.com/larder-go/larder/telemetry"
)

// maxListed is how many rows a table has; more would help nobody.
const maxListed = 500

// fleetView is the panel of processes and of the server.
type fleetView struct {
	Processes []telemetry.Process
	Alive     int
	More      int
	Server    server
	Keys      float64
	Used      float64 // share of the memory
	Now       time.Time
}

func fleetOf(v *viewing) fleetView {
	const most = 12
	f := fleetView{Server: v.snap.server, Keys: float64(v.snap.census.Total), Now: v.now, Used: share(v.snap.server.Memory, v.snap.server.MaxMemory)}
	var gone []telemetry.Process
	for _, p := range v.snap.figures.processes {
		if p.Alive {
			f.Alive++
			f.Processes = append(f.Processes, p)
		} else {
			gone = append(gone, p)
		}
	}
	f.Processes = append(f.Processes, gone...)
	if len(f.Processes) > most {
		f.More, f.Processes = len(f.Processes)-most, f.Processes[:most]
	}
	return f
}
