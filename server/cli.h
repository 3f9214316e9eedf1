/* cli.h - the subcommands of the program. */
#ifndef CLI_H
#define CLI_H

#include "err.h"

enum { EXIT_WELL = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SETTINGS = 3 };

/* Reads the arguments, runs the subcommand; the result is the exit code. */
int cli_run(int argc, char **argv);

/* Says on standard error, in one line, why the program ends, naming the setting; the result is the exit code. */
int cli_failed(const struct err *e);

/* Runs the service until SIGTERM or SIGINT (serve.c). */
int serve_run(void);

#endif
