package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

var versionCommand = command{
	name:    "version",
	summary: "print the version",
	run: func(_ context.Context, std stdio, args []string) error {
		if err := parseFlags(newFlags(std, "version", "Prints the version of larder, Go and the platform."), args); err != nil {
			return err
		}
		version := "(unknown)"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
			version = info.Main.Version
		}
		_, err := fmt.Fprintf(std.out, "larder %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	},
}
