--- What `headway replay` says of the end of each recording, beside what is true of the run (spec/recordings/MANIFEST.tsv):
--- with the exit status the state is that of the run; without it nothing is ever complete, and failed only what the log tells.
local cjson = require "cjson"
local cli = require "spec.support.cli"
local golden = require "spec.support.golden"
local recording = require "spec.support.recording"

local manifest = golden.manifest()

local function final(name, entry, ...)
  local run = cli.run { "replay", "-o", "json", "--parser", golden.parser_of(name, entry), recording.dir .. name .. ".cast", ... }
  assert.equal(0, run.status, run.stderr)
  local last = cjson.decode(run.stdout:match "([^\n]+)\n$")
  return last
end

--- state of the run -> state of a replay that knows the exit status, and what the parser makes of it
local ends = {
  complete = { "complete", "complete" },
  background = { "complete" },
  ["dry-run"] = { "complete", "complete" },
  failed = { "failed", "failed" },
  interrupted = { "failed", "failed" },
  partial = { "failed", "partial" },
}

local failures = {
  failed = { "failed", "failed", "the log says it failed" },
  interrupted = { "failed", "failed", "the log says it failed" },
  partial = { "failed", "partial", "partial: the log says that some of it failed" },
}

-- Logs of failed runs that say nothing of it.
local silent = { ["tqdm/fail-pipe"] = true }

local function reason(entry)
  local status = entry.exit ~= "0" and "exit status " .. entry.exit or nil
  return entry.state == "partial" and "partial: " .. status or status
end

for _, name in ipairs(recording.names()) do
  local entry = manifest[name]
  if entry then
    it(name .. ", " .. entry.state .. ", with its exit status", function()
      local last = final(name, entry, "--exit", entry.exit)
      local state, ended = table.unpack((assert(ends[entry.state], entry.state)))
      assert.same({ state, ended, reason(entry) }, { last.state, last.ended, last.reason })
    end)

    it(name .. ", " .. entry.state .. ", as far as its log can tell", function()
      local last = final(name, entry)
      local failure = not silent[name] and failures[entry.state]
      if failure then
        assert.same(failure, { last.state, last.ended, last.reason })
      else
        assert.is_truthy(({ waiting = true, scanning = true, running = true })[last.state], last.state)
        assert.is_truthy(last.ended == nil or last.ended == "complete", last.ended)
        if last.ended then assert.equal("the log says it is complete", last.reason) end
      end
    end)
  end
end
