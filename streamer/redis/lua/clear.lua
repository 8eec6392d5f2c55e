-- Deletes keys and members, or nothing: only while the lane's place is still the caller's mark.
-- KEYS: the place; the keys to delete, or the one sorted set whose members are named.
-- ARGV: the mark; members to remove from that set.
local stored = redis.call('GET', KEYS[1]) or ''
if (string.match(stored, '^%d+ (.*)$') or stored) ~= ARGV[1] then return 0 end
if #ARGV > 1 then
  redis.call('ZREM', KEYS[2], unpack(ARGV, 2))
  return 1
end
for i = 2, #KEYS do
  redis.call('UNLINK', KEYS[i])
end
return 1
