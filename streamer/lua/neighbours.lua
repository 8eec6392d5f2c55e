-- The nearest users on either side of each angle: the same walk as streamer.neighbours.AngleIndex.
--
-- KEYS  the index
-- ARGV  [1] what precedes a user id in the user's key; empty: segments are not read
--       [2] how many users to find on a side
--       [3] as MessagePack, the users left out
--       [4] as MessagePack, the angles as text
--
-- Returns for each angle a flat list of user id, angle as text, segment (or false).

local index, user_prefix, wanted = KEYS[1], ARGV[1], tonumber(ARGV[2])
local excluded = {}
for _, user_id in ipairs(cmsgpack.unpack(ARGV[3])) do excluded[user_id] = true end
local size = redis.call('ZCARD', index)

-- Pages grow while they hold excluded users only: a call costs more than a user.
local SMALLEST, LARGEST = wanted + 1, 1000
local function grown(page_size)
  return math.min(2 * page_size, math.max(LARGEST, SMALLEST))
end

local function add(found, user_id, angle)
  if #found < wanted and not excluded[user_id] then
    found[#found + 1] = {user_id, angle}
  end
end

-- Takes the users of ranks first to last, in this order, until `wanted` are found.
local function ascending(found, first, last)
  local page_size = SMALLEST
  while first <= last and #found < wanted do
    local page = redis.call('ZRANGE', index, first, math.min(first + page_size - 1, last), 'WITHSCORES')
    for i = 1, #page, 2 do add(found, page[i], page[i + 1]) end
    first = first + page_size
    page_size = grown(page_size)
  end
end

-- The same from rank last down to first, but users of one angle are equally far, so they come by id all
-- the same: a group that a page cuts is entered anew at its smallest id.
local function descending(found, last, first)
  local page_size = SMALLEST
  while first <= last and #found < wanted do
    local low = math.max(last - page_size + 1, first)
    local page = redis.call('ZRANGE', index, low, last, 'WITHSCORES')
    local ends = #page
    while ends > 0 and #found < wanted do
      local angle, begins = page[ends], ends - 1
      while begins > 1 and page[begins - 1] == angle do begins = begins - 2 end
      if begins == 1 then
        local smallest = redis.call('ZCOUNT', index, '-inf', '(' .. angle)
        ascending(found, smallest, last)
        last = smallest - 1
      else
        for i = begins, ends, 2 do add(found, page[i], page[i + 1]) end
        last = last - (ends - begins + 1) / 2
      end
      ends = begins - 1
    end
    page_size = grown(page_size)
  end
end

local function tell(told, found)
  for _, user in ipairs(found) do
    told[#told + 1] = user[1]
    told[#told + 1] = user[2]
    told[#told + 1] = user_prefix ~= '' and redis.call('HGET', user_prefix .. user[1], 'segment')
  end
end

local answers = {}
for i, angle in ipairs(cmsgpack.unpack(ARGV[4])) do
  -- Of rank `at` is the first user whose angle is not smaller.
  local at = redis.call('ZCOUNT', index, '-inf', '(' .. angle)
  local up, down, told = {}, {}, {}
  ascending(up, at, size - 1)
  ascending(up, 0, at - 1)
  descending(down, at - 1, 0)
  descending(down, size - 1, at)
  tell(told, up)
  tell(told, down)
  answers[i] = told
end
return answers
