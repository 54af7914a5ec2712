# The installed package. Headers only, so everything lands in architecture-independent places.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/ul")
install(TARGETS ul ul_native EXPORT ulTargets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS ul_image EXPORT ulImageTargets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(EXPORT ulTargets NAMESPACE ul:: DESTINATION "${package_dir}")
install(EXPORT ulImageTargets NAMESPACE ul:: DESTINATION "${package_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/ulConfig.cmake.in" "${PROJECT_BINARY_DIR}/ulConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ulConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/ulConfig.cmake" "${PROJECT_BINARY_DIR}/ulConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/compiled.cmake" "${PROJECT_SOURCE_DIR}/cmake/compiled.cpp"
  DESTINATION "${package_dir}")

file(RELATIVE_PATH pc_prefix "/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/")
configure_file("${PROJECT_SOURCE_DIR}/cmake/ul.pc.in" "${PROJECT_BINARY_DIR}/ul.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/ul.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")

if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_GENERATOR TGZ DEB)
  set(CPACK_PACKAGE_NAME libul-dev)
  set(CPACK_PACKAGE_VENDOR "ul")
  set(CPACK_PACKAGE_CONTACT "ul developers")
  set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
  set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev, libxtensor-dev, libxsimd-dev, libtbb-dev")
  set(CPACK_DEBIAN_PACKAGE_SUGGESTS "zlib1g-dev, libpng-dev, libjpeg-dev")
  include(CPack)
endif()
