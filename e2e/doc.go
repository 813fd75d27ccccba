// Package e2e tests "larder serve" with the clients that it is for: its tests
// build and start the command, once on the engine inside it and once in front of
// a Redis server, and run the files of test/ and of ../examples/patterns/ts against
// it with Node. scs, a library in Go, is given the store that is made for it. The dashboard of
// "larder demo" is opened with Chromium.
//
// The npm packages are pinned in package-lock.json and installed into node_modules
// by the tests, with "npm ci", which needs the registry the first time. No package
// may run a script while it is installed.
//
// To run one file against a gateway of your own:
//
//	UPSTASH_REDIS_REST_URL=… UPSTASH_REDIS_REST_TOKEN=… node test/redis.test.js
//
// # Failure
//
// A test ends with what Node and the gateway have printed. Where Node is absent
// the tests are skipped, unless CI or LARDER_REQUIRE_REDIS is set.
package e2e
