package embedded

import "strings"

// refusedCommands are known, so that they can be refused with a reason.
var refusedCommands = refusals(map[string]string{
	"blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin wait waitaof": "blocks: the embedded engine has no blocking commands",
	"auth client hello quit readonly readwrite reset":                            "changes the state of a connection, which calls of the embedded engine do not have",
	"subscribe unsubscribe psubscribe punsubscribe ssubscribe sunsubscribe":      "is not executed as a command: use Subscribe",
	"watch unwatch":  "needs a connection of its own, which calls of the embedded engine do not have: use a script",
	"move swapdb":    "needs a second database: the embedded engine has database 0 only",
	"cluster asking": "is about Redis Cluster; the embedded engine is a single node",
})

func refusals(reasons map[string]string) []command {
	var list []command
	for names, reason := range reasons {
		for name := range strings.FieldsSeq(names) {
			text := "ERR '" + name + "' " + reason
			list = append(list, command{
				name: name, arity: -1, flags: noScript | noQueue,
				refuse: func([]string) string { return text },
			})
		}
	}
	return list
}

const refusedDB = "ERR the embedded engine has database 0 only"

func refuseBlock(args []string) string {
	for _, a := range args[1:] {
		if strings.EqualFold(a, "STREAMS") {
			break
		}
		if strings.EqualFold(a, "BLOCK") {
			return "ERR '" + strings.ToLower(args[0]) + "' with BLOCK blocks: the embedded engine has no blocking commands"
		}
	}
	return ""
}

func refuseCopyToDB(args []string) string {
	for i := 3; i+1 < len(args); i++ {
		if strings.EqualFold(args[i], "DB") && args[i+1] != "0" {
			return refusedDB
		}
	}
	return ""
}

// refuseSet finds the contradiction that miniredis overlooks.
func refuseSet(args []string) string {
	nx, xx := false, false
	for _, a := range args[3:] {
		nx = nx || strings.EqualFold(a, "NX")
		xx = xx || strings.EqualFold(a, "XX")
	}
	if nx && xx {
		return "ERR syntax error"
	}
	return ""
}
