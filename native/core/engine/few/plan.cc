// From a program to writers of maps.
#include "engine/few/plan.h"

#include <algorithm>

#include "engine/shapes.h"
#include "tensor/error.h"

namespace splitgrow::engine::few {

namespace {

// As the checks of shapes take it.
Map mapOf(const Rows& rows) {
  Map map;
  map.channels = rows.channels;
  map.height = rows.height;
  map.width = rows.width;
  return map;
}

}  // namespace

Plan::Plan(const Network& network, const Table& table, Memory* memory)
    : network_(network), memory_(*memory), shared_{network, table, 0, {}, {}} {
  const Program& program = network.program;
  readers_.resize(program.instructions.size() + 1);
  isAbsorbed_.resize(program.instructions.size());
  for (size_t i = 0; i < program.instructions.size(); ++i)
    for (const int slot : program.instructions[i].inputs)
      readers_[slot].push_back(static_cast<int>(i));
  const auto& shape = program.inputShape;
  slots_.push_back(addMap(shape[0], shape[1], shape[2]));
  for (size_t i = 0; i < network.nodes.size(); ++i)
    addNode(static_cast<int>(i));
  slots_.push_back(slots_[program.output]);
  const Rows& output = shared_.maps[slots_.back()];
  require(output.pixels() == 1 && output.channels == program.classes,
          "E_ARGUMENT", "the program's output is expected to be ",
          program.classes, " numbers, found ", output.channels, " maps of ",
          output.pixels());
  for (const WriterPtr& one : writers_)
    for (const int map : one->ends().inputs)
      if (map == 0 && one->readsVectors()) readsImages_ = false;
  if (readsImages_) shared_.maps[0].step = shape[0];
  place();
}

int Plan::addMap(int64_t channels, int64_t height, int64_t width) {
  shared_.maps.push_back(
      {channels, height, width, shared_.padded(channels), nullptr});
  return static_cast<int>(shared_.maps.size()) - 1;
}

int Plan::soleReader(int node, Loops kind) const {
  const auto& readers = readers_[node + 1];
  const bool isSole =
      readers.size() == 1 && network_.program.output != node + 1;
  if (!isSole) return -1;
  const Op* op = network_.nodes[readers[0]].instruction->op;
  return op->loops == kind ? readers[0] : -1;
}

void Plan::addNode(int node) {
  const Instruction& instruction = *network_.nodes[node].instruction;
  const Attributes& a = instruction.attributes;
  const auto& parameters = network_.nodes[node].parameters;
  const Loops kind = instruction.op->loops;
  const int before = slots_[instruction.inputs[0]];
  const Rows from = shared_.maps[before];
  const auto alias = [&] { slots_.push_back(before); };
  if (isAbsorbed_[node]) return alias();

  Ends ends;
  for (const int slot : instruction.inputs) ends.inputs.push_back(slots_[slot]);
  // What stands behind a writer is done while its numbers are in a cache.
  const auto absorb = [&](int last) {
    const auto take = [&](int next) {
      isAbsorbed_[next] = true;
      last = next;
    };
    const bool isLayer = kind == Loops::kConvolution || kind == Loops::kLinear;
    if (const int next = soleReader(last, Loops::kNorm); isLayer && next >= 0) {
      for (size_t i = 0; i < 4; ++i)
        requireShape(network_.nodes[next], i,
                     {shared_.maps[ends.out].channels});
      ends.norm = next;
      take(next);
    }
    if (kind == Loops::kActivation) return;
    if (const int next = soleReader(last, Loops::kActivation); next >= 0) {
      ends.act = network_.nodes[next].activation->loop;
      take(next);
    }
  };
  const auto make = [&](int map, auto&& writer, auto... more) {
    ends.out = map;
    absorb(node);
    writers_.push_back(writer(&shared_, node, ends, more...));
    slots_.push_back(map);
  };
  switch (kind) {
    case Loops::kConvolution: {
      requireLayer(network_.nodes[node], mapOf(from), false);
      const int64_t k = parameters[0].size(2), out = parameters[0].size(0);
      const int map = addMap(out, positions(instruction, from.height, k),
                             positions(instruction, from.width, k));
      const bool isDepthwise =
          a.groups == from.channels && out == from.channels && a.groups > 1;
      make(map, isDepthwise ? depthwise : dense);
      break;
    }
    case Loops::kLinear:
      requireLayer(network_.nodes[node], mapOf(from), true);
      make(addMap(parameters[0].size(0), 1, 1), dense);
      break;
    case Loops::kNorm:
      for (size_t i = 0; i < 4; ++i)
        requireShape(network_.nodes[node], i, {from.channels});
      make(addMap(from.channels, from.height, from.width), norm);
      break;
    case Loops::kActivation:
      if (network_.nodes[node].activation->loop == Act::kIdentity) {
        alias();
        break;
      }
      ends.act = network_.nodes[node].activation->loop;
      make(addMap(from.channels, from.height, from.width), sum);
      break;
    case Loops::kAdd:
      for (const int each : ends.inputs) {
        const Rows& other = shared_.maps[each];
        require(other.channels == from.channels &&
                    other.height == from.height && other.width == from.width,
                "E_ARGUMENT", instruction.id, ": adds maps of ", from.channels,
                "x", from.height, "x", from.width, " and ", other.channels, "x",
                other.height, "x", other.width);
      }
      make(addMap(from.channels, from.height, from.width), sum);
      break;
    case Loops::kMaxPool:
    case Loops::kAvgPool:
      make(addMap(from.channels, positions(instruction, from.height, a.kernel),
                  positions(instruction, from.width, a.kernel)),
           pool, kind == Loops::kMaxPool);
      break;
    case Loops::kGlobalMean:
      make(addMap(from.channels, 1, 1), globalMean);
      break;
    case Loops::kFlatten:
      if (from.pixels() == 1)
        alias();
      else
        make(addMap(from.channels * from.pixels(), 1, 1), flatten);
      break;
    case Loops::kDropout:
      alias();
      break;
    case Loops::kNone:
      throw Error("E_INTERNAL", instruction.id + ": the engine lacks its op");
  }
  if (instruction.op->layer != nullptr)
    work_ += static_cast<double>(parameters[0].numel()) *
             static_cast<double>(shared_.maps[slots_.back()].pixels());
}

// Maps that live at different times share memory.
void Plan::place() {
  std::vector<Life> lives;
  int64_t longest = 0;
  for (const Rows& map : shared_.maps) {
    lives.push_back(
        {(map.size() + shared_.table.lanes - 1) / shared_.table.lanes});
    longest = std::max(longest, map.step);
  }
  const auto count = static_cast<int64_t>(writers_.size());
  for (int64_t i = 0; i < count; ++i) {
    const Ends& ends = writers_[i]->ends();
    lives[ends.out].from = lives[ends.out].to = i + 1;
    for (const int map : ends.inputs) lives[map].to = i + 1;
  }
  lives[slots_.back()].to = count;
  if (readsImages_) lives[0].size = 0;
  places_ = placesOf(lives);
  shared_.zeros.reserve(longest);
  std::fill_n(shared_.zeros.data(), longest, 0.0f);
  stages_.resize(writers_.size());
  for (size_t i = 0; i < writers_.size(); ++i) {
    stages_[i].segments.push_back(
        {0, [this, i](int64_t unit, float*) { writers_[i]->run(unit); }});
    order_.push_back(&stages_[i]);
  }
}

bool Plan::takes(int64_t images) const {
  return std::all_of(
      shared_.maps.begin(), shared_.maps.end(),
      [&](const Rows& map) { return map.size() <= INT32_MAX / images; });
}

void Plan::pack() {
  for (const WriterPtr& one : writers_) one->pack();
}

void Plan::takeImages(int64_t n) {
  const int64_t each = n * shared_.table.lanes;
  memory_.kept.reserve(places_.size * each);
  for (size_t i = 0; i < shared_.maps.size(); ++i)
    shared_.maps[i].data = memory_.kept.data() + places_.at[i] * each;
  if (n == shared_.images) return;
  shared_.images = n;
  if (n > most_)
    for (const WriterPtr& one : writers_) one->prepare();
  most_ = std::max(most_, n);
  for (size_t i = 0; i < writers_.size(); ++i)
    stages_[i].segments[0].count = writers_[i]->units();
}

const float* Plan::run(const float* images, int64_t n, Team* team) {
  takeImages(n);
  Rows& input = shared_.maps[0];
  if (readsImages_)
    // Nobody writes there.
    input.data = const_cast<float*>(images);
  else
    for (int64_t p = 0; p < n * input.pixels(); ++p) {
      float* to = input.data + p * input.step;
      std::copy_n(images + p * input.channels, input.channels, to);
      std::fill(to + input.channels, to + input.step, 0.0f);
    }
  if (team != nullptr) {
    team->run(order_);
  } else {
    for (size_t i = 0; i < writers_.size(); ++i)
      for (int64_t unit = 0; unit < stages_[i].segments[0].count; ++unit)
        writers_[i]->run(unit);
  }
  return shared_.maps[slots_.back()].data;
}

}  // namespace splitgrow::engine::few
