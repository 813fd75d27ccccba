-- Adds what a process has allowed by itself. It stands alone, without the prelude.
--
-- KEYS[1]  the window's count
-- ARGV[1]  what to add
-- ARGV[2]  window in ms
-- Returns  the count
local used = redis.call('INCRBY', KEYS[1], ARGV[1])
-- Not only a new key: the original leaves its own without expiry.
if redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return used
