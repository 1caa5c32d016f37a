--- headway.parts, in the sandbox that parsers have.
local core = require "headway_core"

local PARSER = [[
  local parts = require "headway.parts"
  local M = { api = 1, unit = "bytes" }
  M.__index = M
  function M.new() return setmetatable({ parts = parts.new() }, M) end
  function M:feed(record)
    if record == "close" then self.parts:close() return nil end
    local name, count = record:match "^(%a+) of (%d+)$"
    if name then self.parts.name, self.parts.count = name, tonumber(count) return nil end
    local done, total, percent = record:match "^(%d*)/?(%d*) ?(%d*)$"
    return self.parts:take { done = tonumber(done), total = tonumber(total), unit = done ~= "" and "bytes" or nil,
      fraction = percent ~= "" and tonumber(percent) / 100 or nil }
  end
  function M:finish() return { done = self.parts:closed(), unit = "files" } end
  return M
]]

local function bytes(done, total, more)
  local s = { done = done, total = total, unit = "bytes" }
  for k, v in pairs(more or {}) do s[k] = v end
  return s
end

local cases = {
  -- name                        records                                       the last sample                                     parts that are over
  { "the first",                 { "5/9" },                                    bytes(5, 9),                                        0 },
  { "it grows",                  { "5/9", "7/9" },                             bytes(7, 9),                                        0 },
  { "it slips, and is held",     { "100/200", "90/200" },                      bytes(100, 200),                                    0 },
  { "it falls: anew",            { "100/200", "80/200" },                      bytes(80, 200, { restart = true }),                 0 },
  { "and grows from there",      { "100/200", "80/200", "81/200" },            bytes(81, 200),                                     0 },
  { "the second",                { "9/9", "close", "1/7" },                    bytes(1, 7, { phase = { index = 2 } }),             1 },
  { "is held by itself",         { "100/100", "close", "50/70", "49/70" },     bytes(50, 70, { phase = { index = 2 } }),           1 },
  { "closed twice is once",      { "9/9", "close", "close", "1/7" },           bytes(1, 7, { phase = { index = 2 } }),             1 },
  { "closed at the end",         { "9/9", "close" },                           nil,                                                1 },
  { "of how many",               { "a of 3", "5/9" },                          bytes(5, 9, { phase = { index = 1, count = 3, name = "a" } }), 0 },
  { "of one: no phase",          { "a of 1", "5/9" },                          bytes(5, 9),                                        0 },
  { "more than there are",       { "a of 2", "1/1", "close", "1/1", "close", "1/1" }, bytes(1, 1, { phase = { index = 3, name = "a" } }), 2 },
  { "over its total: rounded",   { "11/10" },                                  bytes(10, 10),                                      0 },
  { "a total that shrinks",      { "100/200", "95/95" },                       bytes(100, 100),                                    0 },
  { "no total",                  { "5" },                                      bytes(5),                                           0 },
  { "a fraction",                { "/ 50" },                                   { fraction = 0.5 },                                 0 },
  { "a fraction is held",        { "/ 50", "/ 49" },                           { fraction = 0.5 },                                 0 },
  { "a fraction falls",          { "/ 50", "/ 10" },                           { fraction = 0.1, restart = true },                 0 },
  { "both",                      { "5/ 50", "6/ 60" },                         bytes(6, nil, { fraction = 0.6 }),                  0 },
}

describe("parts:", function()
  for _, case in ipairs(cases) do
    it(case[1], function()
      local h, sample = assert(core.host.new(PARSER, "t")), nil
      for _, record in ipairs(case[2]) do sample = h:feed(record) end
      assert.same(case[3], sample or nil)
      assert.equal(case[4], h:finish(0).done)
    end)
  end

  it("past the last index a part begins with a restart", function()
    local h, sample = assert(core.host.new(PARSER, "t")), nil
    for _ = 1, 1000 do
      sample = h:feed "5/9"
      h:feed "close"
    end
    assert.same(bytes(5, 9, { restart = true, phase = { index = 999 } }), sample)
  end)
end)
