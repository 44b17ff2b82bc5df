// Readers of arguments that several calls on images take.
#pragma once

#include "bind/boundary.h"
#include "images/dataset.h"
#include "images/image.h"
#include "images/source.h"

namespace splitgrow {

// All throw Error{E_ARGUMENT} naming the field.
ImageLimits readLimits(const Napi::Object& o);
int readThreads(const Napi::Object& o, const char* name);
ImageFiles readFiles(const Napi::Value& value);
std::vector<int32_t> readInt32(const Napi::Value& value, const char* what);
std::vector<std::string> readStrings(const Napi::Value& value,
                                     const char* what);
// Throws Error{E_HANDLE} if the dataset is not one of image files.
std::shared_ptr<ImageDataset> readImages(const Napi::Value& value);
std::string readPath(const Napi::Value& value, const char* what);

}  // namespace splitgrow
