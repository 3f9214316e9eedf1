/* fetch_url.h - addresses as text before anything is resolved; used by fetch.c alone. */
#ifndef FETCH_URL_H
#define FETCH_URL_H

#include "err.h"

#define LIMIT_FETCH_URL_BYTES 4096

/* Turns an http address into the https one of the same place, in place; an explicit port 80 goes away. Others stay as
 * they are: https, unusable ones, http on another port. RC_INVALID (url_invalid): no longer fits. RC_DOWN: memory. */
enum rc fetch_url_secure(char url[LIMIT_FETCH_URL_BYTES], struct err *e);

#endif
