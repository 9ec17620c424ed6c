# Writes OUTPUT, a C++ source with the text of every pattern file in FILES: name of the file without its
# ending, text, and whether `all` runs it (those in a folder "extras" stand outside). Called by CMakeLists.txt
# at build time.
set(entries "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  set(in_all true)
  if(file MATCHES "/extras/[^/]*$")
    set(in_all false)
  endif()
  string(APPEND entries "    {\"${name}\", R\"TOML(${text})TOML\", ${in_all}},\n")
endforeach()
file(WRITE ${OUTPUT}
  "// Made by cmake/embed_patterns.cmake from src/workload/patterns/.\n"
  "#include \"workload/pattern_texts.h\"\n\n"
  "namespace s3lt {\n"
  "std::span<const PatternText> pattern_texts() {\n"
  "  static constexpr PatternText texts[] = {\n${entries}  };\n"
  "  return texts;\n"
  "}\n"
  "}  // namespace s3lt\n")
