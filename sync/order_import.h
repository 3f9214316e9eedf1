/* order_import.h - what the files of the order import share; used in sync/ only. */
#ifndef ORDER_IMPORT_H
#define ORDER_IMPORT_H

#include "db_order.h"
#include "map_order.h"
#include "sync.h"
#include "vtex_order.h"

/* One run of the import of one order. One thread. */
struct import {
    struct job_ctx *ctx;
    struct client client;
    struct vtex_session vtex;
    char vtex_order_id[96]; /* the id that this order has or would have in VTEX */
    char *endpoint;         /* owned: marketplaceServicesEndpoint */
    json_t *order;          /* owned: as TikTok gave it */
    struct map_order map;
    struct order_row row; /* as of the last transaction */
    char by[16];          /* webhook, poll, operator, job: who asked */
    bool asked;           /* a person asked for it, or for the period it stands in */
    bool named;           /* a person named this order */
    char request_id[96];  /* of TikTok's answer */
    bool placed_now;      /* this run brought it into VTEX */
    char buyer_digest[72];
    bool held; /* it waits for something that may take long */
};

/* What one transaction changes; NULL members stay as they are. */
struct import_note {
    const char *state;
    const char *step;
    const char *vtex_order_id;
    const char *vtex_status;
    const char *problem; /* code; needs state. NULL with a state clears the problem */
    const char *action;  /* what a person can do */
    const char *event;   /* of the life line */
    const char *detail;  /* of the life line, the problem and the log */
    const char *outcome; /* of the log: ok, waiting, refused, in_doubt, failed */
    const char *platform_code;
    const char *by; /* NULL = job */
    bool looked_up; /* one more look-up found nothing */
    const char *cancel_step;
    const char *cancel_by; /* with cancel_step */
    const char *cancel_reason;
};
/* Writes the note in one transaction of the lease holder and reads the row again. */
enum rc import_write(struct import *im, const struct import_note *note, struct err *e);
/* The order waits, visibly: state and problem are written (the life line only when the problem is new), and
 * RC_BUSY with a wait of 1/4 of the time since the last step, within [first_s, 1800] seconds, is returned. */
enum rc import_hold(struct import *im, const char *state, const char *problem, const char *detail,
                    const char *action, const char *platform_code, int first_s, struct err *e);
/* The order failed: written, and RC_INVALID (the job is parked, visible). */
enum rc import_fail(struct import *im, const char *problem, const char *detail, const char *action,
                    const char *platform_code, struct err *e);
/* VTEX or the settings refuse the client as a whole: written, and RC_DENIED. */
enum rc import_deny(struct import *im, const char *problem, const char *detail,
                    const char *platform_code, struct err *e);

/* order_sku.c: gives every line its VTEX SKU. RC_NOT_FOUND: at least one is not linked; sku names the first
 * one and all are on the list of unlinked SKUs. */
enum rc import_skus(struct import *im, char sku[160], struct err *e);

/* VTEX does not offer what the lines are linked to: asks its catalog which of them it does not know, and puts those
 * on the list of unlinked SKUs. *lost: some are there now; sku names the first. all_when_known: when it knows them
 * all, all are put there, since VTEX says that one cannot be sold. */
enum rc import_skus_doubt(struct import *im, bool all_when_known, bool *lost, char sku[160],
                          struct err *e);

/* order_place.c: from claimed to placed; RC_OK when VTEX holds the order. *waits: RC_OK, but nothing more is to
 * be done now (waiting for a link). */
enum rc import_place(struct import *im, bool *waits, struct err *e);

/* order_settle.c: a call whose end is unknown. RC_OK: it is known now (row.step says it). RC_BUSY: look again
 * later. */
enum rc import_settle(struct import *im, struct err *e);
/* Writes that VTEX holds the order (step placed). */
enum rc import_adopt(struct import *im, const char *event, const struct vtex_order *found,
                     struct err *e);

/* order_authorize.c: from placed to authorized and confirmed. */
enum rc import_authorize(struct import *im, struct err *e);

/* Opens VTEX and makes the order's id there (order_import.c); again does nothing. */
enum rc import_vtex_open(struct import *im, struct err *e);

/* order_cancel.c: TikTok cancelled an order that VTEX holds. RC_OK: it is over, also when a person must go on.
 * RC_BUSY: looked at again later. */
enum rc import_cancel_vtex(struct import *im, struct err *e);
/* VTEX or a person cancelled: TikTok is asked. Outcomes as above. */
enum rc import_cancel_tiktok(struct import *im, struct err *e);
/* A cancellation is on its way to TikTok. */
bool import_cancel_wanted(const struct import *im);
/* VTEX shows the order as cancelled, TikTok does not. */
enum rc import_vtex_cancelled(struct import *im, const struct vtex_order *seen, struct err *e);
/* Reads the order in VTEX, since something happened there, and acts when it is cancelled. */
enum rc import_vtex_look(struct import *im, struct err *e);

/* order_deadline.c: [{"name", "at", "until"}] of TikTok's order; new reference, NULL when out of memory. */
json_t *import_deadlines_new(const json_t *order);

#endif
