/* options.h -- the command line, and the program around it. */
#ifndef PROXY_OPTIONS_H
#define PROXY_OPTIONS_H
#include "proxy/config.h"

struct options {
	const char *config;       /* -c FILE; NULL: made from the rest */
	struct config_quick quick;
	const char *ui_dir;       /* the dashboard from there; NULL: the program's own */
	bool demo;                /* in front of the built-in shop */
};

/* Exit codes of the program. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* supervisor.c: binds, starts the serving child, restarts it. argv is the
 * program's own, to start the child and the next version with. */
int supervisor_main(char **argv);
/* gate.c: the serving child. `fd` talks to the supervisor. */
int gate_main(const struct options *, int fd);
/* Reads the configuration that the options name. how NULL: warnings go to the log. */
struct config *options_config(const struct options *, const struct config_how *, struct err *);
#endif
