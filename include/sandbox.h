/* sandbox.h - the bundled simulator of TikTok Shop and VTEX (`tiktok-shop-connector sandbox`). */
#ifndef SANDBOX_H
#define SANDBOX_H

/* Runs the simulator until SIGTERM or SIGINT. argv[0] is the subcommand word; options follow. Blocks; call it
 * before any other thread was started. Exit code: 0 well, 1 could not start, 2 wrong usage. */
int sandbox_main(int argc, char **argv);

#endif
