-- Deletes keys, or nothing: only while the lane's place is still the caller's mark.
-- KEYS: the place, the keys to delete. ARGV: the mark.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #KEYS do
  redis.call('UNLINK', KEYS[i])
end
return 1
