# Install rules: both forms of the header, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/recsys)
install(FILES include/recsys.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/recsys DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/recsys)

install(TARGETS recsys EXPORT recsys-targets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT recsys-targets NAMESPACE recsys:: DESTINATION ${package_dir})
configure_package_config_file(.cmake/recsys-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/recsys-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/recsys-config-version.cmake COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/recsys-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/recsys-config-version.cmake
        DESTINATION ${package_dir})

configure_file(.cmake/recsys.pc.in ${CMAKE_CURRENT_BINARY_DIR}/recsys.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/recsys.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
