-- What a parser may use: Lua 5.4 without what headway's sandbox leaves out. `headway check` is stricter, and knows the contract.
stds.headway = {
  read_globals = {
    "_VERSION", "assert", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawlen", "rawset",
    "require", "select", "setmetatable", "string", "table", "tonumber", "tostring", "type", "utf8",
  },
}
std = "headway"
exclude_files = { "types" }
files["**/*_spec.lua"] = { std = "lua54+busted", max_line_length = false }
