--- Rows for parser specs: records in, samples out; and records that are made to be slow. `it` is the spec's own.
local assert = require "luassert"
local core = require "headway_core"

local M = {}

function M.new(name, opts) return assert(core.host.new(core.parsers.find(name).text, name, opts)) end

--- A sample, and what more it holds.
---@return table sample  the same table
function M.with(sample, more)
  for k, v in pairs(more or {}) do sample[k] = v end
  return sample
end

--- Each row: name, record (or a list of them, the last one counts), sample or nil. One `it` each, a new parser for each.
function M.rows(it, parser, cases, opts)
  for _, case in ipairs(cases) do
    it(case[1], function()
      local h, sample, why = M.new(parser, opts), nil, nil
      for _, record in ipairs(type(case[2]) == "table" and case[2] or { case[2] }) do sample, why = h:feed(record) end
      if type(case[3]) == "string" then
        assert.is_nil(sample)
        assert.equal(case[3], why)
      else
        assert.is_nil(why)
        assert.same(case[3], sample or nil)
      end
    end)
  end
end

--- Each row: records, exit status or nil, what it ended as or nil.
function M.ends(it, parser, cases)
  for i, case in ipairs(cases) do
    it(("the end %d: %s is %s"):format(i, case[2], case[3]), function()
      local h = M.new(parser)
      for _, record in ipairs(case[1]) do h:feed(record) end
      assert.same(case[3] and { ended = case[3] } or nil, h:finish(case[2]) or nil)
    end)
  end
end

--- Records of up to record_max bytes, fed many times: none may take long, or be a fault.
function M.quick(it, parser, records)
  it("stays quick on records that are made to be slow", function()
    local h = M.new(parser)
    for _, record in ipairs(records) do
      local began = os.clock()
      for _ = 1, 50 do
        local _, _, code = h:feed(record)
        assert.is_true(code == nil or code == "input", record:sub(1, 40))
      end
      assert.is_true(os.clock() - began < 1, record:sub(1, 40))
    end
  end)
end

return M
