/* image_wire.h - what the service and its converter say to each other over their socket; one build, so plain structs. */
#ifndef CORE_IMAGE_WIRE_H
#define CORE_IMAGE_WIRE_H

#include <stdint.h>

#define LIMIT_CONVERT_INPUT_BYTES ((uint64_t)32 << 20)

/* Then `bytes` bytes of the file. */
struct convert_order {
    int32_t width, height, canvas_width, canvas_height;
    uint64_t bytes;
};

enum convert_code {
    CONVERT_DONE,
    CONVERT_DAMAGED,    /* no decoder makes a picture of it */
    CONVERT_TOO_COSTLY, /* more pixels or memory than allowed */
    CONVERT_NO_LIBRARY
};

/* Then `bytes` bytes of JPEG. */
struct convert_answer {
    int32_t code;
    uint64_t bytes;
};

#endif
