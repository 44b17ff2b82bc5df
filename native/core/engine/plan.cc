// From a program to maps and their producers.
#include "engine/plan.h"

#include <cstring>

#include "engine/foreign.h"
#include "engine/shapes.h"
#include "tensor/error.h"

namespace splitgrow::engine {

namespace {

// The widest row of the loops for depthwise convolutions.
constexpr int64_t kMostRow = 1000;

}  // namespace

Plan::Plan(const Network& network, const Table& table,
           const PlanOptions& options, Memory* memory)
    : network_(network),
      options_(options),
      context_{network,
               table,
               options.images,
               table.lanes,
               (options.images + table.lanes - 1) / table.lanes,
               options.usesBatch,
               {},
               {},
               {},
               {},
               true,
               0,
               *memory,
               options.isNarrow ? pickNarrow() : nullptr} {
  const auto& program = network.program;
  const auto bits = [](bool isOn) {
    const uint32_t word = isOn ? 0xffffffffu : 0;
    float value = 0;
    std::memcpy(&value, &word, sizeof value);
    return value;
  };
  for (int64_t i = 0; i < table.lanes; ++i)
    context_.mask[i] = bits(i < context_.imagesIn(context_.blocks - 1));
  context_.outputs.losses.resize(context_.blocks * table.lanes);
  context_.outputs.ranks.resize(context_.blocks * table.lanes);
  readers_.assign(program.instructions.size() + 1, 0);
  for (const Instruction& instruction : program.instructions)
    for (const int slot : instruction.inputs) ++readers_[slot];
  ++readers_[program.output];

  const auto& shape = program.inputShape;
  const int images = addMap(shape[0], shape[1], shape[2]);
  slots_.push_back({{images, Act::kIdentity}, false});
  for (int64_t p = 0; p < shape[1] * shape[2]; ++p)
    for (int64_t c = 0; c < shape[0]; ++c)
      places_.push_back(
          static_cast<int32_t>(c * context_.maps[images].plane + p));
  for (size_t i = 0; i < network.nodes.size(); ++i)
    addNode(static_cast<int>(i));
  const Map& output = context_.maps[slots_[program.output].view.map];
  require(output.pixels() == 1 && output.channels == program.classes,
          "E_ARGUMENT", "the program's output is expected to be ",
          program.classes, " numbers, found ", output.channels, " maps of ",
          output.pixels());
  chooseWanted();
  planForward();
  if (options.goal != Goal::kValues && isPossible_) planBackward();
  placeMaps();
}

int Plan::addMap(int64_t channels, int64_t height, int64_t width) {
  Map map;
  map.channels = channels;
  map.height = height;
  map.width = width;
  map.plane = map.pixels() | 1;
  map.block = channels * map.plane;
  map.mean.assign(channels, 0);
  map.scale.assign(channels, 1);
  map.shift.assign(channels, 0);
  map.a.assign(channels, 1);
  map.b.assign(channels, 0);
  map.c.assign(channels, 0);
  map.center.assign(channels, 0);
  map.inverse.assign(channels, 1);
  context_.maps.push_back(std::move(map));
  return static_cast<int>(context_.maps.size()) - 1;
}

void Plan::addProducer(ProducerPtr producer) {
  producers_.push_back(std::move(producer));
}

// The values that `view` gives, stored.
Plan::Slot Plan::copied(int node, const Slot& slot) {
  const View& view = slot.view;
  const Map& from = context_.maps[view.map];
  const int map = addMap(from.channels, from.height, from.width);
  addProducer(sumOf(&context_, node, {view}, map));
  return {{map, Act::kIdentity}, true, slot.isFlat};
}

void Plan::addForeign(int node) {
  const Instruction& instruction = *network_.nodes[node].instruction;
  std::vector<View> inputs;
  std::vector<bool> isFlat;
  std::vector<std::vector<int64_t>> shapes;
  for (const int slot : instruction.inputs) {
    const Map& from = context_.maps[slots_[slot].view.map];
    inputs.push_back(slots_[slot].view);
    isFlat.push_back(slots_[slot].isFlat);
    shapes.push_back({1, from.channels});
    if (!isFlat.back())
      shapes.back().insert(shapes.back().end(), {from.height, from.width});
  }
  const std::vector<int64_t> shape = shapeOf(network_.nodes[node], shapes);
  const bool isVector = shape.size() == 2;
  const int map =
      isVector ? addMap(shape[1], 1, 1) : addMap(shape[1], shape[2], shape[3]);
  addProducer(foreign(&context_, node, inputs, isFlat, map));
  slots_.push_back({{map, Act::kIdentity}, false, isVector});
}

void Plan::addNorm(int node, int input) {
  Slot slot = slots_[input];
  for (size_t i = 0; i < 4; ++i)
    requireShape(network_.nodes[node], i,
                 {context_.maps[slot.view.map].channels});
  const bool isFree = slot.isSole && slot.view.act == Act::kIdentity &&
                      slot.view.map != 0 &&
                      context_.maps[slot.view.map].norm < 0;
  if (!isFree) slot = copied(node, slot);
  context_.maps[slot.view.map].norm = node;
  slots_.push_back(slot);
}

void Plan::addNode(int node) {
  const Instruction& instruction = *network_.nodes[node].instruction;
  const Attributes& a = instruction.attributes;
  const auto& parameters = network_.nodes[node].parameters;
  std::vector<View> inputs;
  for (const int slot : instruction.inputs) inputs.push_back(slots_[slot].view);
  const Slot before = slots_[instruction.inputs[0]];
  const View& view = inputs[0];
  const int64_t channels = context_.maps[view.map].channels;
  const int64_t height = context_.maps[view.map].height;
  const int64_t width = context_.maps[view.map].width;
  const auto make = [&](int map, ProducerPtr producer) {
    addProducer(std::move(producer));
    const Loops loops = instruction.op->loops;
    slots_.push_back({{map, Act::kIdentity},
                      false,
                      before.isFlat || loops == Loops::kLinear ||
                          loops == Loops::kGlobalMean ||
                          loops == Loops::kFlatten});
  };
  switch (loopsOf(*instruction.op)) {
    case Loops::kConvolution: {
      requireLayer(network_.nodes[node], context_.maps[view.map], false);
      const int64_t k = parameters[0].size(2);
      const int map =
          addMap(parameters[0].size(0), positions(instruction, height, k),
                 positions(instruction, width, k));
      context_.maps[map].hasBias = parameters.size() > 1;
      const bool isFlat =
          k == 1 && a.stride == 1 && a.padding == 0 && a.groups == 1;
      const bool isThree =
          k == 3 && a.padding == 1 && a.stride <= 2 && a.groups == channels &&
          parameters[0].size(0) == channels && width <= kMostRow;
      make(map, (isFlat    ? flatProduct
                 : isThree ? depthwiseThree
                           : convolution)(&context_, node, view, map));
      break;
    }
    case Loops::kLinear: {
      requireLayer(network_.nodes[node], context_.maps[view.map], true);
      const int map = addMap(parameters[0].size(0), 1, 1);
      context_.maps[map].hasBias = parameters.size() > 1;
      make(map, flatProduct(&context_, node, view, map));
      break;
    }
    case Loops::kNorm:
      addNorm(node, instruction.inputs[0]);
      break;
    case Loops::kActivation: {
      const Act act = network_.nodes[node].activation->loop;
      Slot slot = before;
      if (act != Act::kIdentity) {
        if (slot.view.act != Act::kIdentity) slot = copied(node, slot);
        slot.view.act = act;
      }
      slots_.push_back(slot);
      break;
    }
    case Loops::kAdd: {
      for (const View& each : inputs) {
        const Map& other = context_.maps[each.map];
        require(other.channels == channels && other.height == height &&
                    other.width == width,
                "E_ARGUMENT", instruction.id, ": adds maps of ", channels, "x",
                height, "x", width, " and ", other.channels, "x", other.height,
                "x", other.width);
      }
      const int map = addMap(channels, height, width);
      make(map, sumOf(&context_, node, inputs, map));
      break;
    }
    case Loops::kMaxPool:
    case Loops::kAvgPool: {
      const int map = addMap(channels, positions(instruction, height, a.kernel),
                             positions(instruction, width, a.kernel));
      make(map, pool(&context_, node, view,
                     instruction.op->loops == Loops::kMaxPool, map));
      break;
    }
    case Loops::kGlobalMean: {
      const int map = addMap(channels, 1, 1);
      make(map, globalMean(&context_, node, view, map));
      break;
    }
    case Loops::kFlatten:
      if (height * width == 1) {
        slots_.push_back(before);
        slots_.back().isFlat = true;
      } else {
        const int map = addMap(channels * height * width, 1, 1);
        make(map, flatten(&context_, node, view, map));
      }
      break;
    case Loops::kDropout:
      if (!options_.hasDropout || a.p == 0) {
        slots_.push_back(before);
      } else {
        const int factors = addMap(channels, height, width);
        const int map = addMap(channels, height, width);
        dropped_.push_back(node);
        factors_.push_back(factors);
        make(map, dropout(&context_, node, view, factors, map));
      }
      break;
    case Loops::kNone:
      addForeign(node);
      break;
  }
  // An alias of a slot that others read too is no more alone than that one.
  Slot& made = slots_.back();
  const bool isAlias = made.view.map == before.view.map;
  made.isSole = readers_[node + 1] == 1 &&
                network_.program.output != node + 1 &&
                (!isAlias || before.isSole || made.view.act != before.view.act);
}

}  // namespace splitgrow::engine
