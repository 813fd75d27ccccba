-- Extends a lease while its load runs.
--
-- KEYS[1]  the entry
-- ARGV[1]  token, 8 bytes
-- ARGV[2]  lease in ms
-- Returns  1 if the token still stands, else 0
local head = held(KEYS[1], ARGV[1], incarnation())
if not head then
  return 0
end
local deadline = clock() + tonumber(ARGV[2])
redis.call('SETRANGE', KEYS[1], 64, be(deadline))
redis.call('PEXPIREAT', KEYS[1], expire_at(math.max(num(head, 45), deadline)))
return 1
