---@meta headway.core
--- What a parser gets from headway and what it gives back: declarations for editors (LuaLS), and the reference
--- page.
--
-- A parser is a module: a table with `api = 1` and `new`. It is a pure function of its records: the same ones
-- give the same samples for ever, live or replayed. It sees the usual names of Lua 5.4 but: io, os, debug,
-- package, load, loadfile, dofile, collectgarbage, string.dump, xpcall and warn are missing; `__gc` is refused;
-- `print` writes a debug line; math.random is seeded alike in each run; globals can't be made and the libraries
-- can't be changed.
--
-- Limits for each parser: 8 MiB of memory, 20 million instructions a record, 2 s a record (then its process
-- ends and it is set aside), 16 errors in a row.

--- What one record says. Only these fields: another one is an error of the parser's. At least one of them.
---@class headway.Sample
---@field done? integer           count so far, 0 to 2^63-1; whole floats are taken
---@field total? integer          of how many; nil = unknown. Needs `done`
---@field unit? string            of both: "bytes", "files", "items"...; at most 24 letters, digits, _-/%. and space
---@field fraction? number        0 to 1, for tools that tell only a percent
---@field message? string         the tool's own words, for people; cut to 200 bytes, credentials in URLs are
--- removed
---@field phase? headway.Phase    which part of the work this is
---@field scanning? boolean       the total is provisional: the tool is still looking for work
---@field restart? boolean        counts begin anew; without it a smaller count is held back
---@field also? headway.Count[]   up to four further counts of the same moment
---@field ended? "complete"|"partial"|"failed"  a summary line said so; the exit status overrules it
---@field newest? boolean         false: the module's `newest` does not hold now, the next records must all be seen

---@class headway.Count
---@field done integer
---@field total? integer
---@field unit? string

---@class headway.Phase
---@field index integer           1 to 999
---@field count? integer          how many phases there are; nil = unknown
---@field name? string            cut to 63 bytes
---@field weight? number          share of the whole, above 0, at most 1

--- One option that a parser takes. The host checks what the user gave: an unknown name, another type, a value
--- out of range are errors that name the parser and the option, before `new` is called.
---@class headway.Option
---@field type "string"|"integer"|"number"|"boolean"
---@field help string             one line, at most 159 bytes
---@field default? any            of that type; nil: `new` gets nil when the user gives none
---@field min? number             of integers and numbers
---@field max? number
---@field choices? string[]       of strings

--- A parser's module. Its instances find their methods through `__index`, or have them as fields.
---@class headway.Parser
---@field api 1                   version of this contract
---@field name? string            default: the file's name
---@field tool? string            what prints the records: "rsync"; at most 63 bytes
---@field versions? string        of the tool, that were seen: "3.0 to 3.5"
---@field commands? string[]      what it is chosen for, at most 16: a program, then words that must be among
--- its arguments:
--- "rsync", "juicefs warmup", "python -m tqdm". Plain strings in the module's own text: they are read without
--- running it
---@field shows? string[]         at most 16 arguments without which the tool prints no progress, behind a "!" those
--- with which it prints none: "--progress", "!-q". Asked only where it is one of several commands; plain strings, read
--- as commands are
---@field options? table<string, headway.Option>  at most 16; names of small letters, digits, "_", "-"
---@field unit? string            unit of its counts where a sample says none
---@field hints? string[]         a record with none of these bytes in it says nothing, so Lua never sees it: at
--- most 16 of 1 to
--- 47 bytes; none or empty: every record. They don't hold for progress files
---@field record_max? integer     bytes of a record, 1 to 65536, default 4096; the core cuts longer ones
---@field newest? boolean|string  of records that come together only the newest matters: it says all that those
--- before it did, and leaves the parser as if it had seen them. A record of which feed says nothing must change
--- nothing: then those before it are fed after all. true: of any records. A string: of records that hold this, with
--- numbers that tell that nothing else happened between two of them:
--- "%+" grows or stays, "%-" shrinks or stays, "%=" stays, "%d" any, "%%" a percent sign; "^" in front: from the
--- record's start; "$" at the end: up to its end, but for blanks. "(xfr#%+, to-chk=%-/%=)$"
---@field word? boolean           its counts are the task's own words: published as they are, a smaller one is a
--- restart. What
--- reads a progress file is that anyway
local Parser = {}

--- Makes an instance; called once for each source. What options can't say raises: `error("option unit: ...", 2)`.
---@param opts { [string]: any, strict: boolean }  the declared options, typed, defaults filled in; strict: the
--- source is
--- a progress file, in which a record that is no progress is wrong
---@return headway.Parser
function Parser.new(opts) end

--- Takes one record. Three outcomes, never a fourth: a sample; nothing (the record says nothing about
--- progress); nil and a reason (it claims progress and is wrong). The reason is shown to people: it must not
--- quote a log.
---@param record string  any bytes, without the line's end
---@return headway.Sample? sample
---@return string? reason
function Parser:feed(record) end

--- The source has ended. Optional; outcomes as of `feed`.
---@param code? integer  exit status of the tool; nil = not known: then only what a last line said is known,
--- which proves
--- nothing
---@return headway.Sample? sample
---@return string? reason
function Parser:finish(code) end

--- `require "headway.core"`
---@class headway.core
local core = {}

--- Reads N/M: `0 <= N <= M`, decimal, at most 2^63-1, leading zeros allowed, space or tab around and about the "/",
--- then optionally white space and a message. The same code reads annotations, progress files and what `headway
--- set` is given.
---@param record string
---@return integer? done    nil: the record is not N/M
---@return integer|string total  or why it is not
---@return string? message  nil = none
function core.nm(record) end

--- Reads JSON. Integers are exact; whole floats under 2^53 become integers, numbers that fit neither stay
--- floats. A member that is null is left out, in a list it is false. At most 32 levels.
---@param text string
---@return any value     nil: it is no JSON
---@return string? why
function core.json(text) end

--- Reads a whole number behind blanks: digits, perhaps in groups of three by comma, dot or apostrophe. Makes no
--- string: for lines that come by the million.
---@param text string
---@param from? integer     where to begin, default 1
---@return integer? n       nil: there is none, decimals follow, or it is over 63 bits
---@return integer behind   position behind it
---@return integer? follower  byte that stands there; nil: the text is over
function core.integer(text, from) end

return core
