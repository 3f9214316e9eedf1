/* cycle.h - the keeper's parts. */
#ifndef CYCLE_H
#define CYCLE_H

#include "engine.h"

/* cycle.c: one transaction that writes the ends of jobs, leases shops and claims jobs. *worked says whether
 * anything was done. On a failure nothing is changed here; on RC_UNSURE w->reconcile is set. */
enum rc cycle_run(struct workers *w, bool *worked, struct err *e);

/* When the next cycle has something to do, clock_mono_us; 0 = now. Under the lock. */
int64_t cycle_due_us(const struct workers *w);

/* care.c: what is due from time to time: renewals, dead holders, periodic jobs, gauges. */
enum rc care_run(struct workers *w, struct err *e);
/* Gives all shops back and what still runs to ready; the last act. */
enum rc care_release_all(struct workers *w, struct err *e);
/* Shops at rest for a while go back; the lease may be another replica's then. */
enum rc care_release_idle(struct workers *w, struct err *e);
/* Without a renewal in time our leases may be others': act as if they were. */
void care_check_leases(struct workers *w);

#endif
