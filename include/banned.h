/* banned.h - functions nobody may call here: no bound, no error report, or not thread-safe. Forced in with -include. */
#ifndef BANNED_H
#define BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Some are macros where the C library checks bounds at run time. */
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atol atoll atof gmtime \
    localtime ctime asctime system popen mktemp tmpnam

#endif
