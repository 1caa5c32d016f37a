/* house_lua.c - a Lua interpreter for the specs: house_lua FILE ARGS...
 * Compiled with the flags of its build, so it can load a headway_core.so that wants the sanitizers,
 * and nothing has to be preloaded into every shell that a spec starts. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    lua_State *L = luaL_newstate();
    if (!L || argc < 2)
        return 2;
    luaL_openlibs(L);
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - 1); /* the script is arg[0] */
    }
    lua_setglobal(L, "arg");
    int failed = luaL_dofile(L, argv[1]);
    if (failed)
        fprintf(stderr, "%s: %s\n", argv[1], luaL_tolstring(L, -1, NULL));
    lua_close(L);
    return failed;
}
