/* app.h - what a running process consists of; made once in server/, passed down. */
#ifndef APP_H
#define APP_H

#include "cfg.h"
#include "db.h"

#include <stdatomic.h>

struct intake;
struct notices;
struct platform;

/* Handlers use cfg, web_db, intake and notices only; jobs use cfg, job_db and platform. */
struct app {
    struct cfg cfg;
    struct keyring *ring;
    struct db_pool *web_db; /* statements up to 2 s */
    struct db_pool *job_db; /* statements up to 30 s */
    struct intake *intake;
    struct notices *notices; /* NULL until the service listens */
    struct platform *platform;
    char replica[64];     /* name of this process in leases: host, pid, random */
    atomic_bool stopping; /* SIGTERM came */
    atomic_bool ready;
};

#endif
