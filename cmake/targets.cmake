# The targets people link: ul::ul (everything that needs no further library), ul::native (this machine's instruction
# set, opt-in), ul::image (readers that need libraries), ul::compiled (short builds).

# Global, so that a parent project that adds this directory can link them too.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
set(ul_packages Eigen3 xtl xtensor xsimd TBB)
foreach(package IN LISTS ul_packages)
  find_package(${package} REQUIRED CONFIG)
endforeach()
find_package(Threads REQUIRED)

file(GLOB_RECURSE ul_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/ul/*.hpp")
set(ul_image_headers ${ul_headers})
list(FILTER ul_image_headers INCLUDE REGEX "/io/(gzip|image_file|png_reader|jpeg_reader)\\.hpp$")
if(ul_image_headers)
  list(REMOVE_ITEM ul_headers ${ul_image_headers})
endif()

add_library(ul INTERFACE)
add_library(ul::ul ALIAS ul)
target_sources(ul INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${ul_headers})
target_compile_features(ul INTERFACE cxx_std_20)
target_link_libraries(ul INTERFACE Eigen3::Eigen xtensor xsimd TBB::tbb Threads::Threads)

add_library(ul_native INTERFACE)
add_library(ul::native ALIAS ul_native)
set_target_properties(ul_native PROPERTIES EXPORT_NAME native)
target_compile_options(ul_native INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-march=native>)

# PNG, JPEG and gzip readers. Its libraries are looked for by whoever links it: the installed package when asked for
# the component, the programs of this tree, or the parent project.
add_library(ul_image INTERFACE)
add_library(ul::image ALIAS ul_image)
set_target_properties(ul_image PROPERTIES EXPORT_NAME image)
target_sources(ul_image INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${ul_image_headers})
target_link_libraries(ul_image INTERFACE ul ZLIB::ZLIB PNG::PNG JPEG::JPEG)

include("${PROJECT_SOURCE_DIR}/cmake/compiled.cmake")
