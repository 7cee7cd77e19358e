# cpack in a build directory makes two Debian packages: embergate (the gate, its
# unit, manual and configuration) and embergate-rules (our rule packs).
include(GNUInstallDirs)
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
	OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(DEB ${PROJECT_SOURCE_DIR}/packaging/deb)

# Debian wants manuals and change logs packed; -n keeps the time out, so that one
# source gives the same bytes every time.
function(install_packed source name destination component)
	set(packed ${PROJECT_BINARY_DIR}/packaging/${component}/${name}.gz)
	get_filename_component(folder ${packed} DIRECTORY)
	add_custom_command(OUTPUT ${packed} DEPENDS ${source}
		COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
		COMMAND gzip -9nc ${source} > ${packed})
	add_custom_target(packed_${component}_${name} ALL DEPENDS ${packed})
	install(FILES ${packed} DESTINATION ${destination} COMPONENT ${component})
endfunction()

# What the program prints of itself. A fuzzing build has no program.
function(install_printed verb name destination)
	set(printed ${PROJECT_BINARY_DIR}/packaging/${name})
	add_custom_command(OUTPUT ${printed} DEPENDS embergate
		COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/packaging
		COMMAND embergate ${verb} > ${printed})
	if(name MATCHES "\\.8$")
		install_packed(${printed} ${name} ${destination} gate)
	else()
		add_custom_target(printed_${name} ALL DEPENDS ${printed})
		install(FILES ${printed} DESTINATION ${destination} RENAME embergate COMPONENT gate)
	endif()
endfunction()

if(TARGET embergate)
	install(TARGETS embergate DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT gate)
	install_printed(ctl-manual embergate-ctl.8 ${CMAKE_INSTALL_MANDIR}/man8)
	install_printed(completion embergate.bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
install(FILES packaging/embergate.service DESTINATION /lib/systemd/system COMPONENT gate)
install(FILES packaging/embergate.yaml DESTINATION /etc/embergate COMPONENT gate)
install_packed(${PROJECT_SOURCE_DIR}/packaging/embergate.8 embergate.8
	${CMAKE_INSTALL_MANDIR}/man8 gate)
install_packed(${PROJECT_SOURCE_DIR}/docs/config.md config.md
	${CMAKE_INSTALL_DATADIR}/doc/embergate gate)
install(FILES docs/grafana/embergate.json docs/alerts/embergate.yaml
	DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/embergate/examples COMPONENT gate)
install(DIRECTORY rules/packs DESTINATION ${CMAKE_INSTALL_DATADIR}/embergate COMPONENT rules
	FILES_MATCHING PATTERN *.yaml PATTERN *.test.yaml EXCLUDE)
# The scenarios lie in a directory of their own, with the lists that they name.
install(DIRECTORY scenarios/packs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/embergate/scenarios COMPONENT rules
	FILES_MATCHING PATTERN *.yaml PATTERN *.txt PATTERN *.test.yaml EXCLUDE)
foreach(package embergate embergate-rules)
	set(component gate)
	if(package STREQUAL "embergate-rules")
		set(component rules)
	endif()
	install(FILES ${DEB}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
		COMPONENT ${component})
	install_packed(${DEB}/changelog changelog ${CMAKE_INSTALL_DATADIR}/doc/${package} ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON) # for /etc and /lib/systemd
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_OUTPUT_FILE_PREFIX packages)
set(CPACK_COMPONENTS_ALL gate rules)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The Embergate developers <embergate@localhost>")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_GATE_PACKAGE_NAME embergate)
set(CPACK_DEBIAN_GATE_PACKAGE_SECTION httpd)
set(CPACK_DEBIAN_GATE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_GATE_PACKAGE_DEPENDS
	"embergate-rules (= ${PROJECT_VERSION}), init-system-helpers (>= 1.54)")
set(CPACK_DEBIAN_GATE_PACKAGE_SUGGESTS modsecurity-crs)
set(CPACK_DEBIAN_GATE_PACKAGE_CONTROL_EXTRA
	"${DEB}/postinst;${DEB}/prerm;${DEB}/postrm;${DEB}/conffiles")
set(CPACK_COMPONENT_GATE_DESCRIPTION "inspecting reverse proxy for web applications
Embergate stands in front of a web application, ends TLS, inspects every
request with Hyperscan, blocks scans and known exploits, forwards everything
else unharmed, and can say why it did what.")

set(CPACK_DEBIAN_RULES_PACKAGE_NAME embergate-rules)
set(CPACK_DEBIAN_RULES_PACKAGE_SECTION httpd)
set(CPACK_DEBIAN_RULES_PACKAGE_ARCHITECTURE all)
set(CPACK_COMPONENT_RULES_DESCRIPTION "rule packs of the Embergate reverse proxy
Readable rules against web scans and common exploit probes, and scenarios of
behaviour over time, which the gate of the package embergate loads unless its
configuration says no.")
include(CPack)
