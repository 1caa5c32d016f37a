# embed.cmake - turn the Lua sources into C arrays: cmake -DROOT=dir -DOUT=file -DFILES=a;b -P embed.cmake
# A name is the path below ROOT; scripts/headway/units.lua is known as headway/units.lua. Each array
# ends with a zero that its length doesn't count, so that an empty file is an array too.
set(arrays "")
set(rows "")
set(n 0)
foreach(file IN LISTS FILES)
    string(REGEX REPLACE "^scripts/" "" name "${file}")
    file(READ "${ROOT}/${file}" hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR len "${digits} / 2")
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const unsigned char file_${n}[] = {${bytes}0};\n")
    string(APPEND rows "    { \"${name}\", file_${n}, ${len} },\n")
    math(EXPR n "${n} + 1")
endforeach()
file(WRITE "${OUT}" "/* made by cmake/embed.cmake */
#include \"lua/embedded.h\"

${arrays}
const struct hw_embedded hw_embedded[] = {
${rows}    { NULL, NULL, 0 },
};
")
