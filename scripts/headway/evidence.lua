--- What shows that a number in a log is of work that is done bit by bit, and what shows that it is not.
-- A number alone says nothing: "3/12" may be files that are copied, pods that run, a date. What stands beside it
-- tells: a word of work, a bar, its own percent, a time left. One word of something else in its clause rules it out.
--   Copied 3/12   [3/12] Building   3/12 [==>   ]   3/12 (25%)   3/12 ETA 0:05        is work
--   pod web 3/12 Running   heap 3/12   3 of 12 remaining   backup on 3/12             is not
-- Words that nobody knows show nothing.
local units = require "headway.units"

---@class headway.evidence
local evidence = {}

---@class headway.Found        a pair or a percent in a record
---@field at integer           where it begins
---@field upto integer         position behind it
---@field done? integer
---@field total? integer
---@field unit? string
---@field percent? number
---@field thing? boolean       it is the number of a thing
---@field left? string         its clause
---@field right? string

local CLAUSE_MAX = 48 -- bytes at each side of a number that may speak of it
local BAR_MAX = 128 -- bytes at each side of it in which a bar must end

-- ---- words ------------------------------------------------------------------------------------------

local function set_of(words)
  local set = {}
  for word in words:gmatch "%a+" do set[word] = true end
  return set
end

--- "load", "loads", "loaded" and "loading" for "load"; what is made in another way stands in the list.
local function forms_of(words)
  local set = set_of(words)
  for word in words:gmatch "%a+" do
    local bare = word:gsub("e$", "")
    for form in ("@s @es ~ed ~ing"):gmatch "%S+" do set[form:gsub("@", word):gsub("~", bare)] = true end
  end
  return set
end

--- Words of work that is done bit by bit, and of what it is done to.
local WORK = forms_of [[
  copy copied download upload transfer transferred fetch receive send sent pull push sync synchronize import
  export migrate replicate mirror restore backup archive dump load read write written wrote move stage process
  handle convert transform transcode encode decode encrypt decrypt pack unpack extract expand build built compile
  link install update upgrade resolve enumerate count scan scanned index analyze parse check verify verified hash
  merge split delete remove clean purge prune evict warm prefetch prepare generate create render train rebuild
  reindex apply execute complete finish done progress warmup preload ingest crawl validate collect tokenize
  evaluate optimize replay persist publish deliver translate aggregate sort backfill resync file object item
  record row step block chunk part image document entry entries batch epoch sample package layer table key message
  frame task job phase round iteration shard segment directory folder byte module target transferring scanning
  sending splitting directories unzip unzipped unzipping verifies copies
]]

--- Words of something else: what is used, left, measured, tried, dated.
local FOREIGN = set_of [[
  ratio ratios compress compressed compression speedup accuracy acc loss score scored confidence probability
  chance similarity precision recall coverage covered percentile rate rates rated hit hits miss misses cache
  cached test tests tested testing pass passed passing fail failed failing failure failures ok skip skipped
  attempt attempts try tries retry retries retrying version versions rev cpu cpus cores mem memory heap rss jvm gc
  pause eden metaspace ram swap disk usage use used using utilization util capacity occupancy free load average
  avg battery quota limit limits max budget error errors warning warnings http replicas replica deployment
  statefulset daemonset pod pods container containers node nodes ready running waiting pending queue queued
  blocked active inactive idle busy alive dead sleeping healthy unhealthy available unavailable online offline
  connected connection connections session sessions thread threads user users client clients pool slot slots
  worker uid gid pid tid port ports fd fds handles inode inodes open opened locked page pages line lines col
  column rank priority nice severity level stars remaining remain remains left rest more less fewer faster slower
  higher lower bigger smaller better worse increase increased decrease decreased growth off discount sale interest
  temp temperature humidity fan gpu signal volume brightness packet packets lost dropped rejected denied expired
  unread chk elapsed sec secs second seconds min mins minute minutes hour hours day days week weeks month months
  year years ago ms us ns am pm mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov dec today
  yesterday full utilized allocated consumed reserved occupied unacked fps warn corrupt corrupted unreadable
  invalid damaged broken missing ignored duplicate duplicates outdated changed unchanged stale orphaned
]]

--- What is numbered one after another: the number is that of the one that is worked on.
local THINGS = set_of [[
  epoch step phase stage batch round iteration iter part task job file object item chunk shard block layer image
  table package module document record row sample frame segment target folder directory
]]

evidence.nouns = set_of [[
  files objects items records rows steps blocks chunks parts images documents entries batches epochs samples
  packages layers tables keys messages frames tasks jobs
]]

--- Words in front of a date; words that may stand beside a pair that is all there is.
local DATED = set_of "on since until till from at by due before after dated date"
local BARE = set_of "of out at in eta s h m ps"

local function is_any(words, test)
  for word in words:gmatch "%a+" do
    if test(word) then return true end
  end
  return false
end

local function is_foreign(word) return FOREIGN[word] end
local function is_work_word(word) return WORK[word] end

local function is_past(word)
  return word == "done" or word == "complete" or (WORK[word] and word:find "ed$" ~= nil)
end

--- The words at both sides that speak of the number: those of its clause, but for the label of another number
--- ("3/10 loss=0.5"). They are kept with it.
---@return string left, string right
local function clause(record, found)
  if found.left then return found.left, found.right end
  local left = record:sub(math.max(1, found.at - CLAUSE_MAX), found.at - 1):lower()
  local right, at = record:sub(found.upto, found.upto + CLAUSE_MAX):lower()
    :match "^[%s%)%]}\"':%-|>]*([^,;|=\"%(%[%d]*)()"
  at = found.upto + at - 1
  if record:find("^=", at) or record:find("^%d+%.%d", at) or record:find("^:%s*%d", at - 2) then
    right = right:gsub("%a+[%s:]*$", "")
  end
  found.left, found.right = left:gsub("[%s:=%[%(#\"']+$", ""):match "[^,;:|=\"]*$", right
  return found.left, found.right
end

-- ---- what shows that a number is of work --------------------------------------------------------------

local function is_bar(inner)
  return inner and #inner >= 4 and not inner:find "[^=#>%-%.%s\x80-\xFF]"
end

--- "[===>   ] 40%", "40% [===>   ]", "████ 40%", "######  40%", "......... 40%": beside it, and nowhere else.
local function bar_beside(record, from, to)
  local left = record:sub(math.max(1, from - BAR_MAX), from - 1)
  local right = record:sub(to + 1, to + BAR_MAX)
  return is_bar(left:match "%[([^%[%]]*)%][%s%(]*$") or is_bar(left:match "|([^|]*)|%s*$")
    or is_bar(right:match "^%s*%[([^%[%]]*)") or is_bar(right:match "^%s*|([^|]*)")
    or left:find "##%s*$" or left:find "%.%.%.%.%.%.%.%.%s*$" or left:find "\xE2[\x95\x96\xA3][\x80-\xBF]%s*$"
    or left:find "\xE2\x94[\x80\x81]%s*$" or right:find "^%s*\xE2[\x94-\x96][\x80\x81\x88-\xBF]"
end

--- "3/10 (30%)", "30% (3/10)": a pair and its own percent.
local function agrees(record, found)
  if found.percent or found.total == 0 then return false end
  local percent = record:match("^ ?%( ?(%d%d?%d?)[%d.,]*%%", found.upto)
    or record:sub(math.max(1, found.at - 12), found.at - 1):match "(%d+)[%d.]*%% ?%($"
  return percent ~= nil and math.abs(tonumber(percent) - found.done / found.total * 100) <= 1
end

--- "2026-11-25T10:00:00.123Z ", "[2026/11/25 10:00:00 +0000] ", "Nov 25 10:00:00 ": and nothing else. Behind a time
--- alone may stand a date.
local function is_stamp(left, found)
  local clock = left:match "^%[?%d%d%d%d[-/]%d%d[-/]%d%d[T ](.*)$" or left:match "^%[?%u%l%l +%d%d? (.*)$"
    or found.total and found.total > 31 and left:gsub("^%[", "")
  local rest = clock and clock:match "^%d%d:%d%d:%d%d[%d.,]*(.*)$"
  return rest and rest:gsub("^Z", ""):gsub("^ ?[+-]%d%d:?%d%d%f[^%d]", ""):find "^%]?:?%s+[%[%(]?%s*$" ~= nil
end

--- Nothing but numbers, units and marks in the record, this one first; perhaps behind the time.
local function is_alone(record, found)
  local left = record:sub(1, found.at - 1)
  if record:find "[^%g%s]" then return false end
  if not (left:find "^[%s%[%(]*$" or left:find "^%.%.+$" or is_stamp(left, found)) then return false end
  for word in record:sub(found.at):lower():gmatch "%a+" do
    if not (BARE[word] or units.scale(word)) then return false end
  end
  return true
end

--- Whether it is of work that is done bit by bit, and of nothing else.
function evidence.is_work(record, found)
  local left, right = clause(record, found)
  if left == ">" or left:find "%f[%a]eta$" then return false end -- "==> 34%" is what is left of 100%
  if record:find("^ *%a*/s%f[%A]", found.upto) then return false end -- a rate
  local near = left:match "[^%]%)]*$" -- what stands in brackets in front of it is of a larger thing
  if is_any(near, is_foreign) or is_any(right, is_foreign) then return false end
  local work = is_any(left, is_work_word) or is_any(right, is_work_word)
  return work or bar_beside(record, found.at, found.upto - 1) or agrees(record, found)
    or record:find("%f[%a][Ee][Tt][Aa]%f[%A]", found.upto) ~= nil or is_alone(record, found)
end

--- 11/12 in front of a time, behind "on", or with no word in front of it, or right behind, that it is a count of.
function evidence.is_date(record, found)
  local done, total = found.done, found.total
  if found.unit == "bytes" or done > 31 or total > 31 or (done > 12 and total > 12) then return false end
  if record:find("^ *%d%d?:%d%d", found.upto) then return true end
  local before = record:sub(math.max(1, found.at - CLAUSE_MAX), found.at - 1):lower()
  if DATED[before:match "(%a+)%s*$"] then return true end
  local behind = record:match("^%s*([^%s%(%[]?%a*)", found.upto):lower()
  if before:find "[%[%(]%s*$" or behind == "" or evidence.nouns[behind] or is_past(behind) then return false end
  local left = clause(record, found)
  return not is_any(left, is_work_word)
end

--- "[3/10] Copying a": it begins. What is made in another way is printed at its end: "[3/10] a.o".
local BEGUN = set_of [[
  copy download upload fetch build compile install extract verify import export load convert create generate apply
  prepare
]]

local function is_begun(record, found, left)
  local verb = record:match("^[%]%)]:?%s+(%a+)", found.upto)
  if not verb or is_any(left, is_work_word) then return false end
  verb = verb:lower()
  return BEGUN[verb] or (WORK[verb] and verb:find "ing$" ~= nil)
end

--- "Epoch 3/10" until it says that it is done: two are. The number of a thing is a count of those before it. In
--- "shard 2/2: copied 10%" it is the percent that is done.
function evidence.less_begun(record, found)
  if not found or found.unit == "bytes" or found.done == 0 then return found end
  local left, right = clause(record, found)
  if not THINGS[left:match "(%a+)[^%w]*$"] and not is_begun(record, found, left) then return found end
  found.thing = true
  local inner = record:find("^[^,;|=\"%(%[%d]*%d[%d.,]*%s*[%%/o]", found.upto)
  if not is_any(inner and left or left .. " " .. right, is_past) then found.done = found.done - 1 end
  return found
end

return evidence
