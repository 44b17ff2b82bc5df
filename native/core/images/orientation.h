// How to turn a picture, from what its file says beside the pixels.
#pragma once

#include "images/zlib.h"

namespace splitgrow {

// EXIF's orientation, 1 to 8, as Pillow's ImageOps.exif_transpose takes it; 1
// if nothing says otherwise. `exif` is a TIFF structure, maybe with "Exif\0\0"
// in front. `xmp` is read if EXIF has no orientation. Either may be empty or
// damaged.
int orientationOf(Bytes exif, Bytes xmp);

}  // namespace splitgrow
