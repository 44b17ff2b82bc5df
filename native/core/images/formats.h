// The two file formats: one pair of functions each, header and pixels.
#pragma once

#include "images/image.h"

namespace splitgrow {

bool isJpeg(Bytes bytes);
bool isPng(Bytes bytes);

// They return false if more of the file is needed. `isWhole`: the bytes are the
// whole file, and its structure is checked to the end. They throw
// Error{E_DATA}.
bool readJpegHeader(Bytes bytes, bool isWhole, const ImageLimits& limits,
                    ImageHeader* header);
bool readPngHeader(Bytes bytes, bool isWhole, ImageHeader* header);

// The whole picture. Throws Error{E_DATA}.
Pixels decodePng(Bytes file, const ImageHeader& header, Buffer* packed,
                 Buffer* pixels);

}  // namespace splitgrow
