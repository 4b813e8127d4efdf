# Headers, one export file per component, and the package files that make find_package(posemachine) work.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/posemachine)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/posemachine DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.ipp"
)
foreach(component IN LISTS POSEMACHINE_TARGETS ITEMS all)
  install(TARGETS posemachine_${component} EXPORT posemachine-${component} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  if(component STREQUAL run)
    install(TARGETS posemachine_estimate EXPORT posemachine-run)
    install(FILES ${PROJECT_SOURCE_DIR}/cmake/pose_estimator.cpp DESTINATION ${package_dir})
  endif()
  install(EXPORT posemachine-${component} NAMESPACE posemachine:: DESTINATION ${package_dir}
    FILE posemachine-${component}.cmake
  )
endforeach()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/posemachineConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/posemachineConfig.cmake INSTALL_DESTINATION ${package_dir}
)
# SameMinorVersion: before 1.0 a minor version may break its users. Headers alone fit every architecture.
set(architecture ARCH_INDEPENDENT)
if("compiled" IN_LIST POSEMACHINE_TARGETS)
  set(architecture "")
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/posemachineConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ${architecture}
)
install(FILES
  ${PROJECT_BINARY_DIR}/package/posemachineConfig.cmake
  ${PROJECT_BINARY_DIR}/package/posemachineConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindLibYaml.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindOneDNN.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindStb.cmake
  DESTINATION ${package_dir}
)
install(FILES
  ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE ${PROJECT_SOURCE_DIR}/README.md
  ${PROJECT_SOURCE_DIR}/CHANGELOG.md
  DESTINATION ${CMAKE_INSTALL_DOCDIR}
)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
