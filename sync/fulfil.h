/* fulfil.h - what the files share that bring an order on after it was authorized; used in sync/ only. */
#ifndef FULFIL_H
#define FULFIL_H

#include "db_account.h"
#include "db_fulfil.h"
#include "sync.h"

/* One look at one order. One thread. */
struct fulfil {
    struct job_ctx *ctx;
    struct client client;
    struct fulfil_order order;
    struct tiktok_session tiktok;
    struct vtex_session vtex;
    bool vtex_open;
    json_t *detail;   /* owned: the order as TikTok gave it */
    json_t *document; /* owned: the order as VTEX gave it; NULL = not there, or not asked */
    struct package *packages;
    int n_packages;
    struct invoice *invoices; /* newest first */
    int n_invoices;
    json_t *problems; /* owned: found in this look */
    char need[24];    /* need_upload_invoice; "" = not said */
    int64_t next_us;  /* the shortest wait that somebody asked for; 0 = none */
    char request_id[96];
};

/* ---- fulfil_state.c ------------------------------------------------------------------------------- */

/* Reads row, packages and invoices again. */
enum rc fulfil_reload(struct fulfil *f, struct err *e);
void fulfil_done(struct fulfil *f);
/* Adds a step to the order's life line and log. */
enum rc fulfil_event(struct fulfil *f, const char *event, const char *detail, const char *outcome,
                     const char *platform_code, struct err *e);
/* Wants the next look no later than in this time. */
void fulfil_again(struct fulfil *f, int64_t wait_us);
/* ORDER_POLL_SECONDS times n, and how long the end of a call may stay unknown. */
int64_t fulfil_polls_us(const struct fulfil *f, int n);
int64_t fulfil_settle_us(const struct fulfil *f);
bool fulfil_needs_invoice(const struct fulfil *f);
/* The invoice that counts for a package: an accepted one, else the newest; NULL when there is none. Borrowed. */
struct invoice *fulfil_invoice_of(const struct fulfil *f, const struct package *p);
/* TikTok lets the package be shipped as far as the invoice goes. */
bool fulfil_invoice_done(const struct fulfil *f, const struct package *p);
bool fulfil_arranged(const struct package *p);
/* The order is one that may be shipped now, by TikTok's status. */
bool fulfil_to_ship(const struct fulfil *f);

/* ---- fulfil_package.c ------------------------------------------------------------------------------- */

/* Stores the packages that the order names, and reads those in full whose shipment is under way. */
enum rc fulfil_packages_read(struct fulfil *f, struct err *e);
/* Reads one in full and stores it; *p is only a key, valid until the call returns. */
enum rc fulfil_package_read(struct fulfil *f, const struct package *p, struct err *e);

/* ---- fulfil_invoice.c ------------------------------------------------------------------------------- */

/* Reads the order from VTEX and keeps the invoices that it holds; those that cannot be used become problems. */
enum rc fulfil_invoices_find(struct fulfil *f, struct err *e);
/* What is wrong with a file for this order: nfe_issuer, nfe_recipient; NULL = nothing. Constant. */
const char *fulfil_file_doubt(const struct fulfil *f, const struct nfe *nfe);
/* Says which package each invoice belongs to. */
enum rc fulfil_invoices_assign(struct fulfil *f, struct err *e);

/* ---- fulfil_upload.c -------------------------------------------------------------------------------- */

/* Follows what was uploaded, and uploads what waits. */
enum rc fulfil_invoices_bring(struct fulfil *f, struct err *e);
/* A reason of TikTok in words. Constant; NULL when it is none that we know. */
const char *fulfil_reason_words(const char *code);

/* ---- fulfil_ship.c, fulfil_how.c ---------------------------------------------------------------------- */

/* Ships what is to be shipped. */
enum rc fulfil_ship(struct fulfil *f, struct err *e);
/* How a package is to be shipped: what was asked, filled up by policy, VTEX and the offered slots. *how: new
 * reference, NULL when something is missing yet (a problem says what, unless it just takes time). */
enum rc fulfil_how(struct fulfil *f, const struct package *p, json_t **how, struct err *e);
/* The package of the VTEX document that belongs to an invoice number, or the only sale. Borrowed; may be NULL. */
const json_t *fulfil_vtex_package(const struct fulfil *f, const char *number);
/* TikTok's id of a carrier by the name that VTEX has. RC_NOT_FOUND: a problem names it. */
enum rc fulfil_carrier(struct fulfil *f, const struct package *p, const char *name, char id[64],
                       struct err *e);

/* ---- fulfil_track.c --------------------------------------------------------------------------------- */

/* Tells VTEX tracking numbers and events, and TikTok corrected numbers. */
enum rc fulfil_track(struct fulfil *f, struct err *e);

#endif
