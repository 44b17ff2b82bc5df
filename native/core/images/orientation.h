// How a picture is to be turned, from what its file says beside the pixels.
#pragma once

#include "images/zlib.h"

namespace splitgrow {

// EXIF's orientation, 1 to 8, as Pillow's ImageOps.exif_transpose takes it. 1
// where nothing says otherwise. `exif` is a TIFF structure, perhaps behind
// "Exif\0\0"; `xmp` is asked where EXIF has no orientation. Either may be
// empty or damaged.
int orientationOf(Bytes exif, Bytes xmp);

}  // namespace splitgrow
