package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/redisconn"
)

// startTimeout bounds the start of a child process.
const startTimeout = 15 * time.Second

// childReady is the one line that a child writes when it serves, or cannot.
type childReady struct {
	URL   string `json:"url,omitempty"`
	Error string `json:"error,omitempty"`
}

// RunInstance is the main function of a child process: it reads its
// configuration from the first line of stdin, reports on stdout where it
// serves, and serves until stdin ends, which it does when the parent is gone,
// however it went.
func RunInstance(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	in := bufio.NewReader(stdin)
	inst, err := startInstance(ctx, in)
	ready := childReady{}
	if err != nil {
		ready.Error = err.Error()
	} else {
		ready.URL = inst.url
	}
	if werr := json.NewEncoder(stdout).Encode(ready); err == nil && werr != nil {
		err = errors.Join(fmt.Errorf("demo: report to the parent: %w", werr), inst.stop())
	}
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in)
	return inst.stop()
}

func startInstance(ctx context.Context, in *bufio.Reader) (*instance, error) {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("demo: read the configuration from the parent: %w", err)
	}
	var cfg instanceConfig
	if err := json.Unmarshal(line, &cfg); err != nil {
		return nil, fmt.Errorf("demo: read the configuration from the parent: %w", err)
	}
	return serve(ctx, cfg, func(o observe.Observer) (conn.Conn, error) {
		opts := patience
		opts.Observer = o
		return redisconn.Open(ctx, cfg.Redis, opts)
	})
}

// startChild runs argv as an instance in a process of its own.
func startChild(ctx context.Context, argv []string, cfg instanceConfig) (*instance, error) {
	line, err := json.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("demo: configure %s: %w", cfg.Name, err)
	}
	// The end of ctx must not kill what is about to be stopped in order.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), argv[0], argv[1:]...)
	var stderr tail
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("demo: start %s: %w", cfg.Name, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("demo: start %s: %w", cfg.Name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("demo: start %s: %w", cfg.Name, err)
	}
	stop := func() error {
		_ = stdin.Close()
		kill := time.AfterFunc(2*stopTimeout, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("demo: %s ended with %w: %s", cfg.Name, err, stderr.b)
		}
		return nil
	}
	ready, err := awaitChild(ctx, stdin, stdout, append(line, '\n'))
	if err != nil {
		_ = cmd.Process.Kill()
		_ = stop() // killed, so that it fails: err is the reason
		var told *childError
		if !errors.As(err, &told) && len(stderr.b) > 0 {
			err = fmt.Errorf("%w: %s", err, stderr.b)
		}
		return nil, fmt.Errorf("demo: start %s: %w", cfg.Name, err)
	}
	return &instance{name: cfg.Name, url: ready.URL, stop: stop}, nil
}

// awaitChild sends the configuration and waits for the answer.
func awaitChild(ctx context.Context, stdin io.Writer, stdout io.Reader, config []byte) (childReady, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	type reply struct {
		ready childReady
		err   error
	}
	replies := make(chan reply, 1)
	go func() {
		var r reply
		if _, r.err = stdin.Write(config); r.err == nil {
			r.err = json.NewDecoder(stdout).Decode(&r.ready)
		}
		replies <- r
	}()
	select {
	case <-ctx.Done():
		// The caller kills the child, which ends the goroutine.
		return childReady{}, ctx.Err()
	case r := <-replies:
		if r.err == nil && r.ready.Error != "" {
			r.err = &childError{r.ready.Error}
		}
		return r.ready, r.err
	}
}

// childError is why a child could not serve, as it says itself.
type childError struct{ text string }

func (e *childError) Error() string { return e.text }
