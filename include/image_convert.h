/* image_convert.h - brings a picture within TikTok's limits in a process of its own.
 *
 * Decoders of outside files are the most attacked code there is, and a decoded picture is a hundred times larger than
 * its file. So they run in a fresh image of this program that holds nothing: no environment, no descriptor but its
 * socket, limits on memory and time, few system calls; it ends with its picture. */
#ifndef IMAGE_CONVERT_H
#define IMAGE_CONVERT_H

#include <stdatomic.h>

#include "buf.h"
#include "image_plan.h"

/* Runs at once: this many; each may take so much memory and time. */
#define LIMIT_CONVERSIONS 2
#define LIMIT_CONVERT_MEMORY_BYTES ((size_t)640 << 20)
#define LIMIT_CONVERT_CPU_S 20
#define LIMIT_CONVERT_WALL_MS 60000

/* Converts as plan says (deed IMAGE_CONVERT). Blocks the caller up to LIMIT_CONVERT_WALL_MS and the wait for a place,
 * no other thread. out: caller's, initialised with a limit; holds the JPEG with RC_OK. RC_INVALID: the picture cannot be
 * converted (codes image_damaged, image_too_costly). RC_BUSY: no place came free. RC_DOWN: no process or no library.
 * RC_STOPPED: stop was set (may be NULL). */
enum rc image_convert(const void *bytes, size_t len, const struct image_plan *plan,
                      const atomic_bool *stop, struct buf *out, struct err *e);

/* The other side: what the process does that image_convert starts ("image-convert"). Returns its exit code. */
int image_convert_child(void);
#define IMAGE_CONVERT_COMMAND "image-convert"

#endif
