cmake_minimum_required(VERSION 3.25)

# Runs a program and checks how it ends and what it says.
#   cmake -D CODE=<exit code> -D OUTPUT=<regular expression> -P expect.cmake -- <program> <argument>...
# A failure says why in one line, its last; after a mistake in the arguments one more points to --help.

set(command "")
set(given FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(given)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(given TRUE)
  endif()
endforeach()

execute_process(COMMAND ${command} OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE code)
message("${output}${errors}")
if(NOT code STREQUAL CODE)
  message(FATAL_ERROR "ended with ${code}, expected ${CODE}")
endif()
if(NOT "${output}${errors}" MATCHES "${OUTPUT}")
  message(FATAL_ERROR "the output does not match \"${OUTPUT}\"")
endif()
set(reason "(^|\n)error: [^\n]+\n$")
set(usage "^[^\n]+\nRun with --help for more information\\.\n$")
if(NOT CODE EQUAL 0 AND NOT "${output}${errors}" MATCHES "${reason}" AND NOT "${output}${errors}" MATCHES "${usage}")
  message(FATAL_ERROR "a failure did not end with its reason in one line")
endif()
