--- Parsers that mean harm, in the real worker, beside one that means well.
local assert = require "luassert"
local core = require "headway_core"
local system = require "system"

local M = {
  exe = os.getenv "HEADWAY_BUILD" .. "/headway",
  SLOW = "a record took longer than 2 s",
  LIMIT = "instruction limit: more than 20 million",
  MEMORY = "out of memory: more than 8 MiB",
}

local good = [[
  local units = require "headway.units"
  return { api = 1, name = "good", new = function() return { feed = function(_, record)
    return { done = units.integer(record) } end } end }]]

--- The text of a parser whose feed is this.
function M.parser(feed, head)
  return ([[%s
    return { api = 1, name = "bad", new = function() return { feed = function(_, record) %s end } end }]])
    :format(head or "", feed)
end

function M.of_kind(events, kind, id)
  local found = {}
  for _, event in ipairs(events) do
    if event.kind == kind and (not id or event.id == id) then found[#found + 1] = event end
  end
  return found
end

--- Loads both parsers, feeds "x" to the bad one, ends it, and then feeds "7" to the good one. Returns all events, both
--- ids, the seconds.
---@param opts? table   of the bad one
function M.run(text, opts)
  local w = assert(core.worker.new { exe = M.exe })
  local good_id = assert(w:load(good, "good"))
  local events = w:run(10000)
  local began = system.monotime()
  local bad_id = assert(w:load(text, "bad", opts))
  assert(w:feed(bad_id, { "x" }))
  assert(w:finish(bad_id, 0))
  assert(w:feed(good_id, { "7" }))
  for _, event in ipairs(w:run(30000)) do events[#events + 1] = event end
  local took = system.monotime() - began
  w:close()
  return events, bad_id, good_id, took
end

--- What became of the bad parser: the only event of its kind. "either": it is near both limits, refused or set aside.
local function verdict(events, kind, bad)
  local found = M.of_kind(events, kind == "either" and "refused" or kind, bad)
  if kind == "either" and #found == 0 then
    found = M.of_kind(events, "set_aside", bad)
    assert.equal(M.SLOW, found[1] and found[1].why)
    return found[1], M.SLOW
  end
  assert.equal(1, #found)
  return found[1]
end

--- Runs it and holds it to its kind ("refused", "set_aside", "load_failed", "either", "sample", "silent") and the words
--- of the reason; the good one goes on, and nothing takes long.
function M.check(text, kind, words, opts)
  local events, bad, good_id, took = M.run(text, opts)
  if kind == "silent" then
    assert.equal(0, #M.of_kind(events, "refused") + #M.of_kind(events, "set_aside") + #M.of_kind(events, "load_failed"))
    assert.equal(0, #M.of_kind(events, "sample", bad))
  else
    local event, other = verdict(events, kind, bad)
    if kind ~= "sample" then assert.is_truthy(event.why:find(other or words, 1, true), event.why) end
  end
  assert.is_true(took < 25, "took " .. took .. " s") -- 2 s and a new start, on a machine that does much else
  local samples = M.of_kind(events, "sample", good_id)
  assert.equal(1, #samples)
  assert.same({ done = 7 }, samples[1].sample)
  assert.equal(0, #M.of_kind(events, "trouble"))
end

return M
