-- The generic cell rate algorithm (ITU-T I.371) in its virtual scheduling form.
--
-- KEYS[1]  the theoretical arrival time, Unix us; missing: all of the burst is there
-- ARGV[4]  cost; negative gives back
-- ARGV[5]  period in us, in which limit requests pass
-- ARGV[6]  burst, how many may pass at once
-- ARGV[7]  now, Unix us
-- ARGV[8]  the longest time of one request in us
-- Returns  {1 if allowed, else 0; limit; theoretical arrival time, not before now}; the time alone if
--          allowed under the configured limit
local cost, now = tonumber(ARGV[4]), tonumber(ARGV[7])
local stored = redis.call('GET', KEYS[1])
local arrival = math.max(tonumber(stored or '0'), now)
if limit < 1 then
  return {0, limit, arrival}
end
local step = math.min(math.ceil(tonumber(ARGV[5]) / limit), tonumber(ARGV[8]))
local full = now + tonumber(ARGV[6]) * step
local after = math.max(arrival + cost * step, now)
if cost > 0 and after > full then
  return {0, limit, arrival}
end
if after > now then
  redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
elseif stored then
  redis.call('DEL', KEYS[1])
end
if after <= full and limit == tonumber(ARGV[1]) then
  return after
end
return {after <= full and 1 or 0, limit, after}
