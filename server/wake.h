/* wake.h - hears that work was committed and wakes the workers. */
#ifndef WAKE_H
#define WAKE_H

#include "app.h"

struct workers;
struct wake;
/* Starts the listening thread; the database may be away, then it tries again. */
enum rc wake_start(const char *database_url, struct workers *workers, struct wake **out,
                   struct err *e);
void wake_stop(struct wake *w);

#endif
