-- Gives a lease back without a value: the load failed, or its value is not stored.
--
-- KEYS[1]  the entry
-- ARGV[1]  token, 8 bytes
-- ARGV[2]  ms during which nobody shall try again, where there is a value to serve; 0: at once;
--          negative: the value goes too
-- Returns  1 if the token still stood, else 0
local head = held(KEYS[1], ARGV[1], incarnation())
if not head then
  return 0
end
if is_placeholder(head) or tonumber(ARGV[2]) < 0 then
  redis.call('DEL', KEYS[1])
  return 1
end
local hold = tonumber(ARGV[2])
if hold == 0 then
  redis.call('SETRANGE', KEYS[1], 56, string.rep('\0', 16))
  return 1
end
-- The token changes, so that the load that gave up cannot come back with it.
local deadline = clock() + hold
redis.call('SETRANGE', KEYS[1], 56, HOLD .. be(deadline))
redis.call('PEXPIREAT', KEYS[1], expire_at(num(head, 45)))
return 1
