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

# For builds without CMake: what find_package does, by pkg-config. Relative to the file's own place, so that what was
# installed can be moved.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_up /prefix/${pc_dir} /prefix)
function(posemachine_pkg_config name description requires cflags libs)
  set(pc_name ${name})
  set(pc_description "${description}")
  list(JOIN requires " " pc_requires)
  list(JOIN cflags " " pc_cflags)
  list(JOIN libs " " pc_libs)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/posemachine.pc.in ${PROJECT_BINARY_DIR}/package/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/${name}.pc DESTINATION ${pc_dir})
endfunction()
posemachine_pkg_config(posemachine-compose "Networks for human pose estimation, composed at compile time" "" "" "")
if("run" IN_LIST POSEMACHINE_TARGETS)
  set(requires posemachine-compose tbb nlohmann_json)
  set(cflags "")
  set(libs -ldnnl -pthread -ldl) # Debian's oneDNN has no file for pkg-config
  if("image" IN_LIST POSEMACHINE_TARGETS)
    if(POSEMACHINE_IMAGE_STB)
      list(APPEND requires stb)
      list(APPEND cflags " -DPOSEMACHINE_IMAGE_STB")
    else()
      list(APPEND requires libjpeg libpng)
    endif()
  endif()
  if("dataset" IN_LIST POSEMACHINE_TARGETS)
    list(APPEND requires zlib yaml-0.1)
  endif()
  posemachine_pkg_config(posemachine "Human pose estimation on oneDNN" "${requires}" "${cflags}" "${libs}")
  if("compiled" IN_LIST POSEMACHINE_TARGETS)
    posemachine_pkg_config(posemachine-compiled "Human pose estimation on oneDNN, its definitions compiled once"
      posemachine " -DPOSEMACHINE_COMPILED" "-L\${libdir};-lposemachine_compiled"
    )
  endif()
endif()
