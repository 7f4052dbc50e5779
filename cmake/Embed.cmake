# Writes files as string constants of a C++ source, so that the program carries them:
#   cmake -DOUT=x.cpp -DNAMESPACE=a::b -DFILES=style=style.css,script=page.js -P Embed.cmake
set(text "// Made by cmake/Embed.cmake; do not edit.\n#include <string_view>\n\nnamespace ${NAMESPACE} {\n\n")
string(REPLACE "," ";" entries "${FILES}")
foreach(entry ${entries})
  string(REGEX MATCH "^([a-z_]+)=(.*)$" _ "${entry}")
  set(name "${CMAKE_MATCH_1}")
  file(READ "${CMAKE_MATCH_2}" content HEX)
  # A byte array, since a string literal has a length limit and would need quoting.
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${content}")
  string(REGEX REPLACE "('[^']*','[^']*','[^']*','[^']*','[^']*','[^']*','[^']*','[^']*','[^']*','[^']*',)" "\\1\n    " bytes "${bytes}")
  string(APPEND text "constexpr char ${name}_bytes[] = {\n    ${bytes}};\n"
    "extern const std::string_view ${name};\nconst std::string_view ${name}(${name}_bytes, sizeof ${name}_bytes);\n\n")
endforeach()
string(APPEND text "}  // namespace ${NAMESPACE}\n")
file(WRITE "${OUT}" "${text}")
