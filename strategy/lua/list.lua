-- Lists what is declared.
--
-- KEYS[1]  the sets, as in publish.lua
-- KEYS[2]  the processes
-- Returns  {now (Unix ms), {digest, when it is forgotten …}, {"digest process" …}}
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
return {
  now,
  redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'WITHSCORES'),
  redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf'),
}
