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
  background = { "complete", "partial" },
  ["dry-run"] = { "complete", "partial" },
  failed = { "failed", "failed" },
  interrupted = { "failed", "failed" },
  partial = { "failed", "partial" },
}

local NOT_ALL = "partial: the log says that not all of it is done"

local claims = {
  failed = { "failed", "failed", "the log says it failed" },
  interrupted = { "failed", "failed", "the log says it failed" },
  partial = { "failed", "partial", NOT_ALL },
  background = { "failed", "partial", NOT_ALL },
  ["dry-run"] = { "failed", "partial", NOT_ALL },
}

--- Logs that say nothing of it: most tools die of a signal without a word, and what a shell or the system says of them is in no form.
local silent = {}
for name in ([[
  borg/interrupted-pipe borg/no-repository-pipe borg/unreadable-exit1-json-pipe curl/interrupted-sigint-pty
  dd/8.32-progress-pty dd/9.7-progress-pty dd/busybox-sigusr1-pipe dd/interrupted-sigint-pty ffmpeg/missing-pipe
  git/clone-interrupted-pty pg_basebackup/interrupted-pty pv/interrupted-sigint-pty restic/interrupted-pty
  s5cmd/interrupted-sigint-pty tar/interrupted-sigint-pty tqdm/fail-pipe wget/disk-full-bar-pty wget/disk-full-pipe
  wget/interrupted-sigint-pty wget/refused-pipe xtrabackup/backup-interrupted-pipe xz/interrupted-sigint-pty
  zstd/interrupted-sigint-pty aws-s3/dryrun-pipe rsync/dry-run-n-progress2-pipe
]]):gmatch "%S+" do silent[name] = true end

--- A log that says it worse than it was: one of two files came.
claims["curl/second-missing-pipe"] = claims.failed

local function reason(entry, code)
  if entry.state == "background" or entry.state == "dry-run" then return NOT_ALL end
  if code == 0 then return nil end
  local status = code > 128 and code < 193 and ("ended by signal %d ("):format(code - 128) or "exit status " .. code
  return entry.state == "partial" and "partial: " .. status or status
end

for _, name in ipairs(recording.names()) do
  local entry = manifest[name]
  if entry then
    it(name .. ", " .. entry.state .. ", with its exit status", function()
      local last = final(name, entry, "--exit", entry.exit)
      local state, ended = table.unpack((assert(ends[entry.state], entry.state)))
      local expected = reason(entry, math.tointeger(tonumber(entry.exit)))
      assert.same({ state, ended }, { last.state, last.ended })
      assert.equal(expected, last.reason and expected and last.reason:sub(1, #expected) or last.reason)
    end)

    it(name .. ", " .. entry.state .. ", as far as its log can tell", function()
      local last = final(name, entry)
      local claim = not silent[name] and (claims[name] or claims[entry.state])
      if claim then
        assert.same(claim, { last.state, last.ended, last.reason })
      else
        assert.is_truthy(({ waiting = true, scanning = true, running = true })[last.state], last.state)
        assert.is_truthy(last.ended == nil or last.ended == "complete", last.ended)
        if last.ended then assert.equal("the log says it is complete", last.reason) end
      end
    end)
  end
end
