/* trigger.h - what POST .../sync/{what} can start: one row a kind of run. */
#ifndef HANDLERS_TRIGGER_H
#define HANDLERS_TRIGGER_H

#include "db_account.h"
#include "db_job.h"
#include "jspec.h"

/* Which job a run gets. */
enum trigger_entity {
    TRIGGER_ONE, /* entity "" ("dry" for a dry run): one waits at most, a newer request takes its place */
    TRIGGER_EACH /* entity = the run's id: every request runs, beside a periodic job of the kind */
};

struct trigger {
    const char *kind;     /* of the run and of the path */
    const char *job_kind; /* gets the run's id and reads its parameters from there */
    enum lane lane;
    const struct jspec_field *body; /* the members that the request may have */
    /* Judges what `body` cannot say; NULL = nothing. Messages for the caller: err_field, err_http. */
    enum rc (*check)(const json_t *body, const struct client *client, struct err *e);
    bool may_dry_run;
    bool may_target_sandbox;
    enum trigger_entity entity;
};

/* The row of a kind, NULL when there is none. The table is in trigger.c: add rows there. */
const struct trigger *trigger_find(const char *kind);

#endif
