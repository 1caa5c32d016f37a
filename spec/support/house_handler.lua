--- busted output: one line for each spec file, details of what failed, why something was skipped.
-- HEADWAY_SUMMARY names a file that holds "passed failed skipped" and then the test that is running:
-- ./dev adds the counts up, also when the interpreter itself died on the way.
local busted = require "busted"
local pretty = require "pl.pretty"
local system = require "system"

local function text(message)
  if type(message) == "string" then return message end
  if message == nil then return "no message" end
  return pretty.write(message)
end

local function place(entry)
  local trace = entry.element.trace or entry.trace or {}
  return ("%s:%s"):format(trace.short_src or "?", trace.currentline or "?")
end

return function()
  local handler = require "busted.outputHandlers.base" ()
  local shown = { failures = 0, errors = 0, pendings = 0, successesCount = 0 }
  local began

  local function show_new(kind, label)
    local list = handler[kind]
    for i = shown[kind] + 1, #list do
      local entry = list[i]
      local why = entry.message == nil and kind == "pendings" and "" or "\n" .. text(entry.message)
      io.write(("  %s: %s (%s)%s\n"):format(label, entry.name, place(entry), (why:gsub("\n", "\n    "))))
    end
    local n = #list - shown[kind]
    shown[kind] = #list
    return n
  end

  local function save(running)
    local name = os.getenv "HEADWAY_SUMMARY"
    if not name then return end
    local out = assert(io.open(name, "w"))
    out:write(("%d %d %d\n%s\n"):format(handler.successesCount, handler.failuresCount + handler.errorsCount,
      handler.pendingsCount, running))
    out:close()
  end

  local function test_start(element) save(handler.getFullName(element)) end

  local function file_start() began = system.monotime() end

  local function file_end(file)
    local passed = handler.successesCount - shown.successesCount
    shown.successesCount = handler.successesCount
    local failed = show_new("failures", "FAILED") + show_new("errors", "ERROR")
    local skipped = show_new("pendings", "skipped")
    io.write(("%-48s %6.1f s %4d passed%s%s\n"):format(file.name, system.monotime() - began, passed,
      failed > 0 and (", %d failed"):format(failed) or "",
      skipped > 0 and (", %d skipped"):format(skipped) or ""))
    io.flush()
  end

  local function suite_end()
    show_new("errors", "ERROR") -- what went wrong outside of any file
    save "the end"
  end

  busted.subscribe({ "file", "start" }, file_start)
  busted.subscribe({ "test", "start" }, test_start)
  busted.subscribe({ "file", "end" }, file_end)
  busted.subscribe({ "suite", "end" }, suite_end)
  return handler
end
