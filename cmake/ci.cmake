# One test per preset workflow that scripts/test does not run.
set(legs release clang asan tsan avx2 baseline aarch64)
if(NOT CMAKE_HOST_SYSTEM_PROCESSOR STREQUAL "x86_64")
  list(REMOVE_ITEM legs avx2 baseline aarch64)
endif()
foreach(leg IN LISTS legs)
  add_test(NAME ci.${leg} COMMAND ${CMAKE_COMMAND} --workflow --preset ${leg} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endforeach()
