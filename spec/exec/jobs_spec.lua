--- `headway exec` as a job of real interactive shells, with a terminal of its own for the command (auto) and without (off).
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local terminal = require "spec.support.terminal"

local SHELLS = { bash = { "bash", "--norc", "--noprofile", "-i" }, dash = { "dash", "-i" } }

describe("headway exec as a job of", function()
  local dir
  before_each(function() dir = process.temp_dir() end)
  after_each(function() process.remove(dir) end)

  local function script(name, text)
    shell.write(dir .. "/" .. name, terminal.unique(text))
    return "sh " .. dir .. "/" .. name
  end

  --- The state of our wrapper, a child of the shell: await it.
  local function wrapper_is(state)
    return ([[await ps -o stat=,comm= --ppid $PID | grep -q '^%s.* headway$']]):format(state)
  end
  --- The state of a program that has this word on its command line.
  local function is_state(word, state)
    return ([[await ps -eo stat=,args= | grep -v grep | grep '%s' | grep -vE 'headway|sh -c' | grep -q '^%s']]):format(word, state)
  end
  local function is_gone(word)
    return ([[await ! ps -eo stat=,args= | grep -v grep | grep -v '^Z' | grep '%s' | grep -qvE 'sh -c']]):format(word)
  end

  for name, argv in pairs(SHELLS) do
    for _, pty in ipairs { "auto", "off" } do
      describe(name .. ", --pty=" .. pty .. ":", function()
        local exec = "$HEADWAY exec --pty=" .. pty .. " -- "

        local function run(steps, options)
          table.insert(steps, 1, "expect $ ")
          local list = {}
          for _, step in ipairs(steps) do
            list[#list + 1] = step
          end
          list[#list + 1] = [[send exit\rexit\r]]
          list[#list + 1] = "wait"
          return terminal.run(list, argv, options)
        end

        it("the key that stops, jobs, fg, the key that interrupts", function()
          local shown = run {
            "send " .. exec .. [[cat\r]],
            "foreground headway",
            pty == "auto" and "modes -icanon -echo -isig -opost" or "modes +icanon +echo +isig",
            [[send abc\r]], [[expect abc\r\nabc\r\n]],
            [[send \x1a]], "expect Stopped", "expect $ ",
            [[send stty -a\r]], [[expect \nopost]], "expect isig icanon", "expect echo", "expect $ ",
            [[send jobs\r]], "expect Stopped", "expect $ ",
            [[send fg\r]], "foreground headway", [[expect cat\r\n]],
            [[send def\r]], [[expect def\r\ndef\r\n]],
            [[send \x03]], "expect $ ", [[send echo st=$?\r]], "expect st=130",
            [[send stty -a\r]], [[expect \nopost]], "expect isig icanon", "expect echo", "expect $ ",
          }
          assert.matches("exit 0", shown.said)
        end)

        it("bg lets it go on, its output comes", function()
          local task = script("task", ("echo ready; read x <%s/go; echo done"):format(dir))
          shell.run("mkfifo " .. dir .. "/go")
          run {
            "send " .. exec .. task .. [[\r]], "expect ready",
            [[send \x1a]], "expect Stopped", "expect $ ",
            [[send bg\r]], "expect $ ", "run echo > " .. dir .. "/go",
            [[expect done]], [[send wait; echo st=$?\r]], "expect st=0",
          }
        end)

        it("in the background: stopped when it reads, goes on in the foreground", function()
          run {
            "send " .. exec .. [[cat &\r]], "expect $ ", wrapper_is "T",
            [[send jobs\r]], "expect Stopped", "expect $ ",
            [[send fg\r]], "foreground headway", [[send xyz\r]], [[expect xyz\r\nxyz\r\n]],
            [[send \x04]], "expect $ ", [[send echo st=$?\r]], "expect st=0",
          }
        end)

        it("started in the background and brought to the front while it runs", function()
          local task = script("task", ("until [ -e %s/go ]; do sleep 0.02; done; read x; echo =$x="):format(dir))
          run {
            "send " .. exec .. task .. [[ &\r]], "expect $ ",
            [[send fg\r]], "foreground headway", "run touch " .. dir .. "/go",
            [[send word\r]], "expect =word=", "expect $ ",
          }
        end)

        it("kill %1, running and stopped", function()
          run {
            "send " .. exec .. [[sleep 98761 &\r]], "expect $ ", is_state("sleep 98761", "S"),
            [[send kill %1; wait %1; echo st=$?\r]], "expect st=143", is_gone "sleep 98761",
            "send " .. exec .. [[sleep 98762\r]], is_state("sleep 98762", "S"),
            [[send \x1a]], "expect Stopped", is_state("sleep 98762", "T"),
            [[send kill %1; kill -CONT %1\r]], is_gone "sleep 98762",
            [[send wait\r]], "expect $ ", [[send jobs; echo em""pty\r]], "expect empty",
          }
        end)

        it("a pipeline into less: the keys are its own", function()
          run({
            "send " .. exec .. [[yes | less\r]], "expect y\\r\\n", [[expect :]],
            "send q", "expect $ ", is_gone "^S.* yes$",
            [[send stty -a\r]], [[expect \nopost]], "expect isig icanon", "expect echo", "expect $ ",
          }, { env = { LESS = "" } })
        end)

        it("a pipeline is stopped and goes on as one", function()
          local reader = script("reader", "read a; read x </dev/tty; echo =$a$x=")
          run {
            "send " .. exec .. "yes | " .. reader .. [[\r]], is_state("[s]h " .. dir .. "/reader", "S"),
            is_state(" yes$", "S"),
            [[send \x1a]], "expect Stopped", "expect $ ", is_state(" yes$", "T"),
            [[send fg\r]], "foreground headway", [[send es\r]], "expect =yes=", "expect $ ", is_gone "^S.* yes$",
          }
        end)

        it("the key that interrupts ends the script that runs us, too", function()
          local outer = script("outer", exec .. "sleep 98763; echo went on")
          run {
            "send " .. outer .. [[\r]], is_state("sleep 98763", "S"),
            [[send \x03]], "expect $ ", [[send echo st=$?\r]], "expect st=130", "absent went on",
          }
        end)

        it("stopped and continued by hand: the command", function()
          shell.run("mkfifo " .. dir .. "/go")
          local task = script("task", ("echo ready; read x; echo =$x=; read x <%s/go; echo =$x="):format(dir))
          local word, pid = "[s]h " .. dir .. "/task", "$(pgrep -f '^sh " .. dir .. "/task')"
          local steps = {
            "send " .. exec .. task .. [[\r]], "expect ready", "run kill -STOP " .. pid, is_state(word, "T"),
            -- Without a pty it's not seen by the shell, but the key works.
            pty == "auto" and "expect Stopped" or [[send \x1a]], pty == "auto" and "expect $ " or "expect Stopped",
            [[send fg\r]], "foreground headway", [[send one\r]], "expect =one=",
            "run kill -STOP " .. pid, is_state(word, "T"),
            pty == "auto" and "expect Stopped" or "run true",
            "run kill -CONT " .. pid, is_state(word, "S"), wrapper_is "S", "run echo two > " .. dir .. "/go", "expect =two=",
          }
          run(steps)
        end)

        it("stopped and continued by hand: the wrapper", function()
          local task = script("task", "echo ready; read x; echo =$x=; read x; echo =$x=")
          -- Without a pty the command is a process of the same job: stopping half of it is no fair play.
          local stop = pty == "auto" and "run kill -STOP $(pgrep -P $PID)" or "run kill -STOP -$(pgrep -P $PID)"
          run {
            "send " .. exec .. task .. [[\r]], "expect ready",
            stop, -- Before it has stopped the command may still take the first key.
            pty == "off" and is_state("[s]h " .. dir .. "/task", "T") or "run true",
            "expect Stopped", "expect $ ",
            [[send fg\n]], "foreground headway", [[send one\r]], "expect =one=",
            [[send two\r]], "expect =two=", "expect $ ",
            [[send stty -a\r]], [[expect \nopost]], "expect isig icanon", "expect echo", "expect $ ",
          }
        end)

        it("a terminal that hangs up ends the command, a stopped one too", function()
          terminal.run({
            "expect $ ", "send " .. exec .. [[sleep 98765\r]], is_state("sleep 98765", "S"),
            "hangup", "wait", is_gone "sleep 98765", is_gone "headway.*98765",
          }, argv)
          terminal.run({
            "expect $ ", "send " .. exec .. [[sleep 98766\r]], is_state("sleep 98766", "S"),
            [[send \x1a]], "expect Stopped", "hangup", "wait", is_gone "sleep 98766", is_gone "headway.*98766",
          }, argv)
        end)
      end)
    end
  end
end)
