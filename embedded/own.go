package embedded

// ownCommands are executed by this package.
var ownCommands = []command{
	{name: "command", arity: -1, flags: noScript, run: runCommand},
	{name: "discard", arity: 1, flags: noScript, run: runTransactionCommand},
	{name: "eval", arity: -3, flags: noScript, keys: countedKeys(2), run: runEval},
	{name: "eval_ro", arity: -3, flags: noScript, keys: countedKeys(2), run: runEvalRO},
	{name: "evalsha", arity: -3, flags: noScript, keys: countedKeys(2), run: runEvalSHA},
	{name: "evalsha_ro", arity: -3, flags: noScript, keys: countedKeys(2), run: runEvalSHARO},
	{name: "exec", arity: 1, flags: noScript, run: runTransactionCommand},
	{name: "info", arity: -1, run: runInfo},
	{name: "multi", arity: 1, flags: noScript, run: runTransactionCommand},
	{name: "publish", arity: 3, flags: publish, run: runPublish},
	{name: "pubsub", arity: -2, run: runPubSub},
	{name: "script", arity: -2, flags: noScript, run: runScript},
	{name: "select", arity: 2, flags: noScript, run: runSelect},
	{name: "spublish", arity: 3, flags: publish, first: 1, last: 1, run: runSPublish},
}

func runSelect(_ *Engine, _ *call, args []string) reply {
	if args[1] != "0" {
		return failure(refusedDB)
	}
	return ok()
}

func runTransactionCommand(_ *Engine, _ *call, args []string) reply {
	return failure("ERR '" + lookup(args[0]).name + "' works within one Pipeline call only, from MULTI to EXEC: calls do not share a connection")
}
