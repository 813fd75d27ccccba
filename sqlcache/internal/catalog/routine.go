package catalog

import (
	"github.com/larder-go/larder/internal/statement"
)

// volatility is pg_proc's letter for what a function's result depends on. Letters of
// weaker promises come later in the alphabet.
type volatility string

const (
	immutable volatility = "i"
	stable    volatility = "s"
	volatile  volatility = "v"
)

// routine is a function of a user, or a procedure.
type routine struct {
	name       statement.Name
	volatility volatility
	language   string
	body       body
}

// call adds what follows from a call of the functions that a name may mean. Which of
// the overloads it is, in which schema of the path, depends on types; all count.
func (p *planner) call(n statement.Name, path []string) {
	found := false
	for _, schema := range searched(n, path) {
		if schema == ownSchema {
			if v, ok := p.builtin[n.Name]; ok {
				found = true
				p.callBuiltin(n.Name, v)
			}
		}
		for _, r := range p.routines[statement.Name{Schema: schema, Name: n.Name}] {
			found = true
			p.run(r, path)
		}
	}
	if !found && (n.Schema != "" || !grammar[n.Name]) {
		p.plan.Outdated = true
		p.everything("the function " + n.Name + " is unknown")
	}
}

func (p *planner) callBuiltin(name string, v volatility) {
	switch {
	case v == immutable, v == stable && vetted[name]:
	case v == stable:
		p.refuse(name + " depends on more than its arguments")
	case name == "set_config":
		p.plan.Session = true
		p.refuse("set_config changes the session")
	case harmless[name]:
		p.refuse(name + " is volatile")
	default:
		p.plan.Session = true
		p.everything(name + " may do anything")
	}
}

// run adds what follows from a call of a user's function.
func (p *planner) run(r *routine, path []string) {
	switch {
	case r.volatility == immutable:
		return
	case r.volatility == stable:
		p.refuse("the function " + r.name.Name + " is not immutable")
		return
	case r.language == "c" && harmlessExtension[r.name.Name]:
		p.refuse("the function " + r.name.Name + " is volatile")
		return
	}
	p.refuse("the function " + r.name.Name + " is volatile")
	p.execute(r, path)
}

// execute adds what a body does. Bodies that call each other are followed once.
func (p *planner) execute(r *routine, path []string) {
	if p.executed[r] {
		return
	}
	p.executed[r] = true
	if !r.body.understood {
		p.plan.Schema, p.plan.Session = p.plan.Schema || !r.body.tame, p.plan.Session || !r.body.tame
		p.everything("the function " + r.name.Name + " may do anything")
		return
	}
	for _, s := range r.body.statements {
		p.follow(s, path)
	}
}
