-- What the scripts share; it stands before each of them.
--
-- ARGV[1]     the configured limit
-- ARGV[2]     '1': the last key but the deny list is the dynamic limit, which replaces the configured one
-- ARGV[3]     m, the number of values that the deny list is asked about; the last key is that list
-- ARGV[#-m+1] the values, at the end of ARGV
-- Returns     {2, limit, index} if a value is on the list, before anything is counted: the last such
--             value, the first being 1. Otherwise the script below goes on.
local limit = tonumber(ARGV[1])
local asked = tonumber(ARGV[3])
if ARGV[2] == '1' then
  local set = tonumber(redis.call('GET', KEYS[asked > 0 and #KEYS - 1 or #KEYS]) or '')
  if set and set >= 0 and set <= 1000000000000 then
    limit = math.floor(set)
  end
end
if asked > 0 then
  local found = redis.call('SMISMEMBER', KEYS[#KEYS], unpack(ARGV, #ARGV - asked + 1))
  for i = asked, 1, -1 do
    if found[i] == 1 then
      return {2, limit, i}
    end
  end
end

