/* cli.c - reads the arguments and runs the subcommand that they name. */
#include "cli.h"

#include "app.h"
#include "http.h"
#include "image_convert.h"
#include "log.h"
#include "password.h"
#include "sandbox.h"
#include "sign.h"
#include "str.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef VERSION
#define VERSION "0"
#endif

#define MIGRATE_STATEMENT_MS 30000

struct command {
    const char *name;
    const char *word; /* second word, or NULL */
    int (*run)(int argc, char **argv);
    const char *help;
};

/* A dump would hold tokens, keys and personal data. */
static void no_core_dumps(void)
{
    struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int cli_failed(const struct err *e)
{
    bool named = e->field[0] == 0 || strstr(e->text, e->field) != NULL;

    (void)fprintf(stderr, "tiktok-shop-connector: %s%s%s\n", named ? "" : e->field,
                  named ? "" : ": ", e->text);
    return e->rc == RC_INVALID ? EXIT_SETTINGS : EXIT_FAILED;
}

static int run_serve(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return serve_run();
}

static int run_migrate(int argc, char **argv)
{
    struct cfg cfg = { 0 };
    struct db_pool *pool = NULL;
    struct err e = { 0 };
    int applied = 0;
    enum rc rc = cfg_load_database(&cfg, &e);

    (void)argc;
    (void)argv;
    if (rc != RC_OK)
        return cli_failed(&e);
    log_setup((enum log_level)cfg.log_level, cfg.log_json);
    rc = db_pool_new(cfg.database_url, 1, MIGRATE_STATEMENT_MS, NULL, &pool, &e);
    if (rc == RC_OK)
        rc = db_migrate(pool, &applied, &e);
    db_pool_free(pool);
    cfg_done(&cfg);
    if (rc != RC_OK)
        return cli_failed(&e);
    (void)printf("schema is up to date, %d migrations applied now\n", applied);
    return EXIT_WELL;
}

static enum rc address_check(const char *name, const char *address, struct err *e)
{
    if (http_address_check(address, e) == RC_OK)
        return RC_OK;
    return err_field(e, name,
                     "%s must be an address of this machine with a port, as 127.0.0.1:8080", name);
}

static int run_config_check(int argc, char **argv)
{
    struct cfg cfg = { 0 };
    struct err e = { 0 };
    enum rc rc = cfg_load(&cfg, &e);

    (void)argc;
    (void)argv;
    if (rc == RC_OK) {
        rc = db_url_check(cfg.database_url, &e);
        if (rc == RC_OK)
            rc = address_check("LISTEN_ADDRESS", cfg.listen_address, &e);
        if (rc == RC_OK)
            rc = address_check("OPS_ADDRESS", cfg.ops_address, &e);
        cfg_done(&cfg);
    }
    if (rc != RC_OK)
        return cli_failed(&e);
    (void)puts("settings are complete and well-formed");
    return EXIT_WELL;
}

/* The password comes from standard input, where no list of processes shows it. */
static int run_hash_password(int argc, char **argv)
{
    char password[PASSWORD_BYTES_MAX + 3];
    OWN_BUF struct buf hash;
    struct err e = { 0 };
    size_t len = 0;
    enum rc rc;

    (void)argc;
    (void)argv;
    buf_init(&hash, 1024);
    len = fread(password, 1, sizeof password - 1, stdin);
    password[len] = '\0';
    password[strcspn(password, "\r\n")] = '\0'; /* the end of the line is no part of it */
    rc = password_hash(password, &hash, &e);
    sign_wipe(password, sizeof password);
    if (rc != RC_OK) {
        (void)cli_failed(&e);
        return EXIT_FAILED;
    }
    (void)puts(buf_text(&hash));
    return EXIT_WELL;
}

static int run_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)puts("tiktok-shop-connector " VERSION);
    return EXIT_WELL;
}

static int run_sandbox(int argc, char **argv)
{
    return sandbox_main(argc, argv);
}

static const struct command COMMANDS[] = {
    { "serve", NULL, run_serve, "runs the service (also without a subcommand)" },
    { "migrate", NULL, run_migrate, "brings the database schema up to date and exits" },
    { "config", "check", run_config_check,
      "says whether the settings are complete and well-formed" },
    { "user", "hash-password", run_hash_password,
      "reads a password from standard input and prints its hash for ADMIN_USERS" },
    { "sandbox", NULL, run_sandbox,
      "plays TikTok Shop and VTEX for trying things out; --help for its options" },
    { "version", NULL, run_version, "prints the version" },
};
#define N_COMMANDS ((int)(sizeof COMMANDS / sizeof COMMANDS[0]))

static int help(FILE *to, int code)
{
    struct buf settings;

    buf_init(&settings, (size_t)1 << 20);
    cfg_help(&settings);
    (void)fputs("usage: tiktok-shop-connector [subcommand]\n\nSubcommands\n", to);
    for (int i = 0; i < N_COMMANDS; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "%s%s%s", COMMANDS[i].name,
                       COMMANDS[i].word != NULL ? " " : "",
                       COMMANDS[i].word != NULL ? COMMANDS[i].word : "");
        (void)fprintf(to, "  %-19s %s\n", name, COMMANDS[i].help);
    }
    (void)fprintf(
        to, "\nSettings, from the environment (each also as NAME_FILE, the path of a file)\n%s",
        buf_text(&settings));
    (void)fputs("\nExit codes: 0 well, 1 failure, 2 usage, 3 settings or schema\n", to);
    buf_done(&settings);
    return code;
}

static const struct command *command_find(int argc, char **argv, int *used)
{
    for (int i = 0; i < N_COMMANDS; i++) {
        const struct command *c = &COMMANDS[i];

        *used = c->word != NULL ? 2 : 1;
        if (strcmp(argv[1], c->name) != 0)
            continue;
        if (c->word == NULL || (argc > 2 && strcmp(argv[2], c->word) == 0))
            return c;
    }
    return NULL;
}

int cli_run(int argc, char **argv)
{
    const struct command *command = NULL;
    int used = 0;

    no_core_dumps();
    if (argc < 2)
        return serve_run();
    if (argc == 2 && strcmp(argv[1], IMAGE_CONVERT_COMMAND) == 0) /* started by the service only */
        return image_convert_child();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return help(stdout, EXIT_WELL);
    if (strcmp(argv[1], "--version") == 0)
        return run_version(argc, argv);
    command = command_find(argc, argv, &used);
    if (command == NULL) {
        (void)fprintf(stderr, "tiktok-shop-connector: there is no subcommand \"%s\"; see --help\n",
                      argv[1]);
        return EXIT_USAGE;
    }
    if (command->run != run_sandbox && argc > 1 + used) {
        if (strcmp(argv[1 + used], "--help") == 0)
            return help(stdout, EXIT_WELL);
        (void)fprintf(stderr, "tiktok-shop-connector: %s takes no \"%s\"; see --help\n", argv[1],
                      argv[1 + used]);
        return EXIT_USAGE;
    }
    return command->run(argc - 1, argv + 1);
}
