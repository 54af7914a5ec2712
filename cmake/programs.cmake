# What the tests, examples and benchmarks of this tree share; none of it is installed or reaches a consumer.

set(UL_MARCH native CACHE STRING "The -march of this tree's own programs; empty: the compiler's default")
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)

add_library(ul_program INTERFACE)
target_compile_options(ul_program INTERFACE -Wall -Wextra -Wconversion -Wshadow)
# Where Eigen decomposes matrices, g++ 12 takes what its own AVX-512 header leaves undefined on purpose for a mistake.
add_library(ul_decompositions INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(ul_decompositions INTERFACE -Wno-uninitialized)
endif()
if(UL_MARCH)
  target_compile_options(ul_program INTERFACE -march=${UL_MARCH})
endif()
target_link_libraries(ul_program INTERFACE ul::ul ul::image)

# For programs over whole networks: the library's own instantiations, where there are some for this instruction set.
add_library(ul_short_builds INTERFACE)
if(UL_MARCH STREQUAL "native")
  target_link_libraries(ul_short_builds INTERFACE ul::compiled_native)
elseif(NOT UL_MARCH)
  target_link_libraries(ul_short_builds INTERFACE ul::compiled)
endif()

# The target all_verify_interface_header_sets compiles every header alone.
set_target_properties(ul ul_image PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)

find_program(UL_CCACHE ccache)
if(UL_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${UL_CCACHE}")
endif()
