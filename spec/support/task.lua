--- A task that writes its progress file as fast as it is told to, and notes what it has done.
---
---     lua5.4 task.lua FILE HOW TOTAL SECONDS NOTES
---
--- HOW: `rename` (a new file, renamed), `echo` (cut to nothing and written, as a shell's > does), `append` (a line more).
--- Writes 1/TOTAL, 2/TOTAL, ..., SECONDS apart. NOTES gets "begin I" before each write and "done I" when it is complete.
--- When NOTES.stop appears, its content (a number) is the last one to be written; then the task ends. It also ends after
--- TOTAL, and when the directory of its file is gone.
local socket = require "socket"

local file, how, total, seconds, notes = arg[1], arg[2], math.tointeger(tonumber(arg[3])), tonumber(arg[4]), arg[5]
local log = assert(io.open(notes, "a"))
log:setvbuf "no" -- a line is there as soon as it is written

local function put(path, mode, text)
  local out = assert(io.open(path, mode))
  assert(out:write(text))
  assert(out:close())
end

local write = {
  rename = function(text)
    put(file .. ".next", "w", text)
    assert(os.rename(file .. ".next", file))
  end,
  echo = function(text) put(file, "w", text) end,
  append = function(text) put(file, "a", text) end,
}

local function step(i)
  log:write("begin ", i, "\n")
  write[how](("%d/%d\n"):format(i, total))
  log:write("done ", i, "\n")
end

local function told_to_stop()
  local stop = io.open(notes .. ".stop")
  if not stop then return nil end
  local last = stop:read "n"
  stop:close()
  return last
end

for i = 1, total do
  local last = told_to_stop()
  if last then
    step(math.tointeger(last))
    break
  end
  step(i)
  socket.sleep(seconds)
end
