// Calls on packed stores.
#include <algorithm>
#include <cmath>

#include "bind/boundary.h"
#include "bind/calls.h"
#include "bind/image_arguments.h"
#include "images/ordered.h"
#include "images/pack.h"
#include "images/turbojpeg.h"
#include "tensor/clock.h"

namespace splitgrow {

namespace {

Napi::Array toStrings(Napi::Env env, const std::vector<std::string>& strings) {
  auto array = Napi::Array::New(env, strings.size());
  for (uint32_t i = 0; i < strings.size(); ++i) array[i] = strings[i];
  return array;
}

Napi::Object toProblem(Napi::Env env, int64_t index,
                       const std::string& reason) {
  auto problem = Napi::Object::New(env);
  problem.Set("index", static_cast<double>(index));
  problem.Set("reason", reason);
  return problem;
}

Napi::Value toResult(Napi::Env env, const Packed& packed) {
  auto result = Napi::Object::New(env);
  result.Set("images", static_cast<double>(packed.images));
  result.Set("bytes", static_cast<double>(packed.bytes));
  result.Set("resumed", static_cast<double>(packed.resumed));
  auto problems = Napi::Array::New(env, packed.problems.size());
  for (uint32_t i = 0; i < packed.problems.size(); ++i) {
    const PackProblem& p = packed.problems[i];
    Napi::Object problem = toProblem(env, p.index, p.reason);
    problem.Set("part", static_cast<double>(p.part));
    problems[i] = problem;
  }
  result.Set("problems", problems);
  return result;
}

using Problems = std::vector<std::pair<int64_t, std::string>>;

Problems faultsOf(const Store& store, int threads, const Control& control) {
  const auto start = Clock::now();
  Problems problems;
  const auto make = [&]() -> std::function<std::string(int64_t)> {
    return [&](int64_t index) -> std::string {
      try {
        store.image(index);
        return {};
      } catch (const Error& error) {
        if (error.code != "E_DATA") throw;
        return store.name(index) + ": " + error.what();
      }
    };
  };
  inOrder<std::string>(
      0, store.images(), threads, int64_t{64} * threads, make,
      [&](int64_t index, std::string&& reason) {
        if (!reason.empty()) problems.emplace_back(index, std::move(reason));
        control.report({"verify", index + 1, store.images(), index + 1,
                        secondsSince(start), std::nan("")});
      },
      [&] { control.check(); });
  return problems;
}

}  // namespace

Napi::Value packStore(const Napi::CallbackInfo& info) {
  const Napi::Object o = readObject(info[1], "options");
  turbo::api();
  PackOptions options;
  options.store = readPath(field(o, "store"), "store");
  options.limits = readLimits(o);
  options.threads = readThreads(o, "threads");
  options.facts.classNames = readStrings(field(o, "classNames"), "classNames");
  options.facts.shortSide =
      field(o, "shortSide").IsNull()
          ? 0
          : static_cast<int>(readInteger(o, "shortSide", 1, 8192));
  options.facts.quality = static_cast<int>(readInteger(o, "quality", 1, 100));
  const auto parts = std::make_shared<std::vector<ImageFiles>>();
  const Napi::Array given = readArray(info[0], "parts");
  const auto classes = static_cast<int64_t>(options.facts.classNames.size());
  for (uint32_t i = 0; i < given.Length(); ++i) {
    const Napi::Object part = readObject(given[i], "a part");
    options.facts.parts.push_back({readPath(field(part, "name"), "name"), 0});
    parts->push_back(readFiles(field(part, "files")));
    for (const int32_t label : parts->back().labels)
      require(label >= 0 && label < classes, "E_LABELS", "labels must be 0 to ",
              classes - 1, ", found ", label);
  }
  return runTask(
      info, info[2], info[3], [parts, options](const Control& control) -> ToJs {
        const Packed packed = packImages(*parts, options, control);
        return [packed](Napi::Env env) { return toResult(env, packed); };
      });
}

Napi::Value readStore(const Napi::CallbackInfo& info) {
  const Store store(readPath(info[0], "path"));
  const StoreFacts& facts = store.facts();
  const Napi::Env env = info.Env();
  auto result = Napi::Object::New(env);
  auto parts = Napi::Array::New(env, facts.parts.size());
  for (uint32_t i = 0; i < facts.parts.size(); ++i) {
    auto part = Napi::Object::New(env);
    part.Set("name", facts.parts[i].name);
    part.Set("images", static_cast<double>(facts.parts[i].images));
    parts[i] = part;
  }
  result.Set("parts", parts);
  result.Set("classNames", toStrings(env, facts.classNames));
  result.Set("shortSide", facts.shortSide == 0
                              ? env.Null()
                              : Napi::Number::New(env, facts.shortSide));
  result.Set("quality", facts.quality);
  result.Set("bytes", static_cast<double>(store.bytes()));
  return result;
}

Napi::Value readStoreLabels(const Napi::CallbackInfo& info) {
  const Store store(readPath(info[0], "path"));
  const auto [from, count] = store.part(readPath(info[1], "part"));
  auto labels = Napi::Int32Array::New(info.Env(), static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    labels[static_cast<size_t>(i)] = store.record(from + i).label;
  return labels;
}

Napi::Value verifyStore(const Napi::CallbackInfo& info) {
  const auto store = std::make_shared<Store>(readPath(info[0], "path"));
  const int threads = readThreads(readObject(info[1], "options"), "threads");
  return runTask(
      info, info[2], info[3], [store, threads](const Control& control) -> ToJs {
        const Problems problems = faultsOf(*store, threads, control);
        return [store, problems](Napi::Env env) {
          auto result = Napi::Object::New(env);
          result.Set("images", static_cast<double>(store->images()));
          result.Set("bytes", static_cast<double>(store->bytes()));
          auto list = Napi::Array::New(env, problems.size());
          for (uint32_t i = 0; i < problems.size(); ++i)
            list[i] = toProblem(env, problems[i].first, problems[i].second);
          result.Set("problems", list);
          return result;
        };
      });
}

}  // namespace splitgrow
