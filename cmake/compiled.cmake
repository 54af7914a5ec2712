# ul::compiled and, for this machine's instruction set, ul::compiled_native: static libraries of the heavy templates,
# built inside the consumer's own build so that they match its compiler and flags, and only if something links them.
# Shared by this tree and the installed package.

# Kernels are inlined by force: an address sanitizer that also watches the scope of each of their variables makes g++
# take three times as long.
function(ul_compiles_kernels target)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-sanitize-address-use-after-scope>)
endfunction()

foreach(name compiled compiled_native)
  add_library(ul_${name} STATIC EXCLUDE_FROM_ALL "${CMAKE_CURRENT_LIST_DIR}/compiled.cpp")
  add_library(ul::${name} ALIAS ul_${name})
  target_compile_definitions(ul_${name} INTERFACE UL_COMPILED)
  # Fast kernels in a consumer's debug build too; a build of type None has all its flags from the consumer.
  target_compile_options(ul_${name} PRIVATE $<$<NOT:$<CONFIG:Release,None>>:-O2>)
  ul_compiles_kernels(ul_${name})
  target_link_libraries(ul_${name} PUBLIC ul::ul)
endforeach()
target_link_libraries(ul_compiled_native PUBLIC ul::native)
