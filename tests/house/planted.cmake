cmake_minimum_required(VERSION 3.25)

# Shows that every rule of rules.cmake can fail: plants one breach at a time into an otherwise clean tree.
#   cmake -D SCRATCH=<directory> -P planted.cmake

function(expect outcome message file)
  file(REMOVE_RECURSE "${SCRATCH}")
  file(WRITE "${SCRATCH}/ul/core/clean.hpp" "#pragma once\n// assert(this is a comment); std::cout\n#define UL_A\n")
  file(WRITE "${SCRATCH}/ul/op/clean.hpp" "#pragma once\n#include <ul/core/clean.hpp>\n#define helper\n#undef helper\n")
  string(JOIN "\n" text ${ARGN})
  string(REPLACE "|" ";" text "${text}")  # a list cannot hold a semicolon
  file(WRITE "${SCRATCH}/ul/${file}" "#pragma once\n${text}\n")
  execute_process(COMMAND "${CMAKE_COMMAND}" -D "ROOT=${SCRATCH}" -P "${CMAKE_CURRENT_LIST_DIR}/rules.cmake"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(outcome STREQUAL "pass" AND NOT result EQUAL 0)
    message(SEND_ERROR "${file} with '${text}' is in order, but was refused:\n${output}")
  elseif(outcome STREQUAL "refuse" AND (result EQUAL 0 OR NOT output MATCHES "${message}"))
    message(SEND_ERROR "${file} with '${text}' was to be refused with '${message}', but:\n${output}")
  endif()
endfunction()

string(REPEAT "//\n" 298 lines)
expect(pass "" core/long.hpp "${lines}")
string(REPEAT "//\n" 299 lines)
expect(refuse "301 lines, at most 300" core/long.hpp "${lines}")

expect(pass "" nn/a.hpp "#include <ul/op/clean.hpp>")
expect(pass "" data/a.hpp "#include <random>")
expect(pass "" backend/cpu/a.hpp "#include <xsimd/xsimd.hpp>")
expect(pass "" ul.hpp "#include <ul/op/clean.hpp>")
expect(pass "" core/a.hpp "bool abort_requested(int); int exit_code(); void f() { g.assert_rank(3)|  static_assert(true)| }")
expect(refuse "may include only core/ and the floors below it" core/a.hpp "#include <ul/op/clean.hpp>")
expect(refuse "may include only io/ and the floors below it" io/a.hpp "#  include <ul/nn/clean.hpp>")
expect(refuse "does not exist" nn/a.hpp "#include <ul/op/missing.hpp>")
expect(refuse "by quotes" op/a.hpp "#include \"ul/core/clean.hpp\"")
expect(refuse "stands above every floor" nn/a.hpp "#include <ul/a.hpp>")
expect(refuse "is no floor" misc/a.hpp "")
expect(refuse "heavy <random>" nn/a.hpp "#include <random>")
expect(refuse "outside of the cellar" nn/a.hpp "#include <Eigen/Core>")
expect(refuse "outside of the cellar" io/a.hpp "#include <zlib.h>")
expect(refuse "leaks the macro helper" core/a.hpp "#define helper 1" "#undef helper2")
expect(refuse "leak 6 macros, at most 5: UL_A, UL_B" core/a.hpp
  "#define UL_B" "#define UL_C" "#define UL_D" "#define UL_E" "#define UL_F(x) x")
expect(refuse "assert or NDEBUG" core/a.hpp "#include <cassert>")
expect(refuse "assert or NDEBUG" core/a.hpp "inline void f(int i) { assert(i > 0)| }")
expect(refuse "assert or NDEBUG" core/a.hpp "#ifdef NDEBUG" "#endif")
expect(refuse "prints or ends" core/a.hpp "inline void f() { std::abort()| }")
expect(refuse "prints or ends" core/a.hpp "inline void f() { std::cerr << 1| }")
