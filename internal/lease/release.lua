-- Gives a lease back without a value: the load failed, or its value is not stored.
--
-- KEYS[1]  the entry
-- ARGV[1]  token, 8 bytes
-- ARGV[2]  ms during which nobody shall try again, where there is a value to serve; 0: at once;
--          negative: the value goes too
-- ARGV[3]  ms during which those who waited for the load are told that it failed, where there is no
--          value to serve; 0: not at all
-- Returns  1 if the token still stood, else 0
local now = clock()
local head = held(KEYS[1], ARGV[1], incarnation())
if not head then
  return 0
end
local hold, failed = tonumber(ARGV[2]), tonumber(ARGV[3])
if is_placeholder(head) then
  if failed == 0 then
    give_back(KEYS[1], head, now)
    return 1
  end
  redis.call('SETRANGE', KEYS[1], 56, FAILED .. be(now + failed))
  redis.call('PEXPIREAT', KEYS[1], expire_at(math.max(num(head, 45), now + failed)))
elseif hold < 0 then
  redis.call('DEL', KEYS[1])
elseif hold == 0 then
  redis.call('SETRANGE', KEYS[1], 56, ZERO .. ZERO)
else
  -- The token changes, so that the load that gave up cannot come back with it.
  redis.call('SETRANGE', KEYS[1], 56, HOLD .. be(now + hold))
  redis.call('PEXPIREAT', KEYS[1], expire_at(num(head, 45)))
end
return 1
