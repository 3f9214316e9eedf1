/* image_box.h - closes the process around itself before it reads a byte from outside. */
#ifndef CORE_IMAGE_BOX_H
#define CORE_IMAGE_BOX_H

#include <stdbool.h>

/* Limits on memory, processor time and files; no new rights; dies with the parent. Before libraries are loaded. */
bool image_box_limits(void);
/* No further descriptor or process, and of the system calls only those that computing needs: any other one is refused.
 * For good. */
bool image_box_close(void);

#endif
