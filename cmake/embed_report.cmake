# Writes OUTPUT, a C++ source with the texts of the HTML report: the files in DIR and the charting library CHART.
# Called by CMakeLists.txt at build time.
file(GLOB scripts ${DIR}/*.js)
list(SORT scripts)
file(READ ${DIR}/page.html page)
file(READ ${DIR}/style.css style)
file(READ ${DIR}/chart-license.txt chart_license)
file(READ ${CHART} chart_library)
set(code "")
foreach(script IN LISTS scripts)
  file(READ ${script} text)
  string(APPEND code "${text}")
endforeach()
string(CONCAT out "// Made by cmake/embed_report.cmake from src/report/html/ and ${CHART}.\n"
  "#include \"report/html_assets.h\"\n\nnamespace s3lt::html_assets {\n")
foreach(asset IN ITEMS page style code chart_library chart_license)
  string(APPEND out "const std::string_view ${asset} = R\"S3LOADTEST(${${asset}})S3LOADTEST\";\n")
endforeach()
file(WRITE ${OUTPUT} "${out}}  // namespace s3lt::html_assets\n")
