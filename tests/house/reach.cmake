cmake_minimum_required(VERSION 3.25)

# What the headers pull in, seen by the preprocessor: forbidden headers reached by any way, and preprocessed sizes.
#   cmake -D ROOT=<directory that holds ul/> -D SCRATCH=<directory> -D CXX=<compiler> -D FLAGS=<list> -P reach.cmake

file(MAKE_DIRECTORY "${SCRATCH}")
set(breached FALSE)

# preprocess(out mode headers...): the compiler's output on a file that includes the headers.
function(preprocess out mode)
  list(TRANSFORM ARGN REPLACE "(.+)" "#include <ul/\\1>\n" OUTPUT_VARIABLE lines)
  list(JOIN lines "" text)
  file(WRITE "${SCRATCH}/reach.cpp" "${text}")
  execute_process(COMMAND "${CXX}" ${FLAGS} -std=c++20 ${mode} "-I${ROOT}" reach.cpp WORKING_DIRECTORY "${SCRATCH}"
    OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${errors}")
  endif()
  set(${out} "${output}" PARENT_SCOPE)
endfunction()

# expect_absent(name pattern headers...): no file whose path matches the pattern is included, directly or not.
function(expect_absent name pattern)
  preprocess(files -M ${ARGN})
  string(REGEX REPLACE "[ \\\n]+" ";" files "${files}")
  list(FILTER files INCLUDE REGEX "${pattern}")
  if(files)
    message(SEND_ERROR "${name} reaches ${files}; g++ -H shows the way")
  endif()
endfunction()

# expect_size(limit headers...): each alone is at most so many bytes of preprocessed text.
function(expect_size limit)
  foreach(header IN LISTS ARGN)
    preprocess(text "-E;-P" ${header})
    string(LENGTH "${text}" size)
    if(size GREATER limit)
      message(SEND_ERROR "${header}: ${size} bytes of preprocessed text, at most ${limit}")
    endif()
    if(header STREQUAL "ul.hpp" OR size GREATER limit)
      message(STATUS "${header}: ${size} bytes of preprocessed text")
    endif()
  endforeach()
endfunction()

macro(headers_of out)
  set(${out} "")
  foreach(floor ${ARGN})
    file(GLOB_RECURSE found RELATIVE "${ROOT}/ul" "${ROOT}/ul/${floor}/*.hpp")
    list(APPEND ${out} ${found})
  endforeach()
endmacro()

set(heavy "/(iostream|random|functional|regex|filesystem|execution|ranges)$")

headers_of(cheap core)
expect_size(800000 ${cheap})

# Everything that is generic over the backend knows neither the CPU backend nor what stands behind it.
headers_of(generic core backend tensor op grad nn diffusion)
list(FILTER generic EXCLUDE REGEX "^backend/(cpu|cuda)")
expect_absent("the generic floors" "${heavy}|/(xsimd|Eigen|xtensor|tbb|oneapi)/|/ul/backend/cpu" ${generic})

if(EXISTS "${ROOT}/ul/ul.hpp")
  expect_absent(ul.hpp "/(Eigen|xtensor)/|/(zlib|png|jpeglib|iostream|regex|execution)(\\.h)?$|/ul/interop/" ul.hpp)
  expect_size(8000000 ul.hpp)
endif()
