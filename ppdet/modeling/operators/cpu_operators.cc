// Depthwise convolution and nearest-neighbour upsampling for training on a CPU, float32, NCHW.
//
// Paddle's depthwise kernels on a CPU work cell by cell. Here a padded plane is treated as one long row: with the output
// stored at the pitch of the padded input, output cell i is the sum over the taps of weight * input[i + offset of the tap],
// a loop without boundaries that vector units like, whatever the width of the plane. A plane that is read with a stride is
// first split into its stride x stride phases, so that each tap reads consecutive cells of one phase.
//
// Built on request by ppdet/modeling/operators/cpu.py. The vectors are GCC's and Clang's, on any processor.

#include <algorithm>
#include <cstring>
#include <vector>

#include "paddle/extension.h"

namespace {

constexpr int64_t kLanes = 8;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4)));

inline Lanes Load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
inline void Store(float* to, Lanes value) { *reinterpret_cast<Lanes*>(to) = value; }
inline Lanes Broadcast(float value) { return Lanes{} + value; }

// Sizes of one convolution; "phases" are the planes into which a padded input plane is split.
struct Plan {
  int64_t batch, channels, height, width, kernel_h, kernel_w, stride, padding;
  int64_t out_h, out_w, pitch, plane, flat, slack;

  Plan(const std::vector<int64_t>& x, const std::vector<int64_t>& kernel, int64_t step, int64_t border)
      : batch(x[0]), channels(x[1]), height(x[2]), width(x[3]), kernel_h(kernel[2]), kernel_w(kernel[3]), stride(step), padding(border) {
    out_h = (height + 2 * padding - kernel_h) / stride + 1;
    out_w = (width + 2 * padding - kernel_w) / stride + 1;
    const int64_t rows = (height + 2 * padding + stride - 1) / stride;
    pitch = (width + 2 * padding + stride - 1) / stride;
    flat = (out_h * pitch + kLanes - 1) / kLanes * kLanes;  // cells between rows are computed and ignored
    slack = (kernel_h / stride + 1) * pitch + kernel_w + kLanes;
    plane = std::max(rows * pitch, flat) + slack;
  }

  int64_t taps() const { return kernel_h * kernel_w; }
  int64_t phases() const { return stride * stride; }
  int64_t phase_of(int64_t tap) const { return (tap / kernel_w % stride) * stride + tap % kernel_w % stride; }
  int64_t offset_of(int64_t tap) const { return (tap / kernel_w / stride) * pitch + tap % kernel_w / stride; }
};

// Calls visit(cells of the plane, their step, cells of a phase, count) for each run of consecutive cells of a phase.
template <typename Visit>
void ForEachRun(const Plan& plan, float* phases, Visit visit) {
  const int64_t stride = plan.stride;
  for (int64_t y = 0; y < plan.height; ++y) {
    const int64_t padded = y + plan.padding;
    float* row = phases + (padded % stride) * stride * plan.plane + (padded / stride) * plan.pitch;
    for (int64_t phase = 0; phase < stride; ++phase) {
      const int64_t first = ((phase - plan.padding) % stride + stride) % stride;
      if (first >= plan.width) continue;
      visit(y * plan.width + first, row + phase * plan.plane + (first + plan.padding) / stride, (plan.width - first + stride - 1) / stride);
    }
  }
}

void SplitIntoPhases(const Plan& plan, const float* x, float* phases) {
  const int64_t stride = plan.stride;
  ForEachRun(plan, phases, [=](int64_t at, float* run, int64_t count) {
    for (int64_t i = 0; i < count; ++i) run[i] = x[at + i * stride];
  });
}

void JoinPhases(const Plan& plan, float* phases, float* x) {
  const int64_t stride = plan.stride;
  ForEachRun(plan, phases, [=](int64_t at, const float* run, int64_t count) {
    for (int64_t i = 0; i < count; ++i) x[at + i * stride] = run[i];
  });
}

// out[i] = sum over taps of weights[tap] * rows[tap][i]; count is a multiple of kLanes.
template <int kTaps>
void WeightedSum(const float* weights, const float* const* rows, float* out, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes) {
    Lanes sum = Broadcast(weights[0]) * Load(rows[0] + i);
#pragma GCC unroll 32
    for (int tap = 1; tap < kTaps; ++tap) sum += Broadcast(weights[tap]) * Load(rows[tap] + i);
    Store(out + i, sum);
  }
}

void WeightedSum(int64_t taps, const float* weights, const float* const* rows, float* out, int64_t count) {
  switch (taps) {
    case 1: return WeightedSum<1>(weights, rows, out, count);
    case 2: return WeightedSum<2>(weights, rows, out, count);
    case 4: return WeightedSum<4>(weights, rows, out, count);
    case 6: return WeightedSum<6>(weights, rows, out, count);
    case 9: return WeightedSum<9>(weights, rows, out, count);
    case 25: return WeightedSum<25>(weights, rows, out, count);
  }
  for (int64_t i = 0; i < count; i += kLanes) {
    Lanes sum = Broadcast(0.f);
    for (int64_t tap = 0; tap < taps; ++tap) sum += Broadcast(weights[tap]) * Load(rows[tap] + i);
    Store(out + i, sum);
  }
}

// sums[tap] += sum over i of rows[tap][i] * g[i], three taps at a time.
void Correlations(int64_t taps, const float* const* rows, const float* g, double* sums, int64_t count) {
  for (int64_t tap = 0; tap < taps; tap += 3) {
    const float* row[3];
    for (int64_t k = 0; k < 3; ++k) row[k] = rows[std::min(tap + k, taps - 1)];
    Lanes sum[3] = {Broadcast(0.f), Broadcast(0.f), Broadcast(0.f)};
    for (int64_t i = 0; i < count; i += kLanes) {
      const Lanes value = Load(g + i);
      for (int k = 0; k < 3; ++k) sum[k] += Load(row[k] + i) * value;
    }
    for (int64_t k = 0; k < std::min<int64_t>(3, taps - tap); ++k)
      for (int64_t lane = 0; lane < kLanes; ++lane) sums[tap + k] += sum[k][lane];
  }
}

// The taps of one phase: the input gradient of a phase is a correlation of the output's gradient with these.
struct PhaseTaps {
  std::vector<int64_t> taps;
  std::vector<const float*> rows;
  std::vector<float> weights;
};

}  // namespace

std::vector<paddle::Tensor> DepthwiseForward(const paddle::Tensor& x, const paddle::Tensor& weight, int stride, int padding) {
  const Plan plan(x.shape(), weight.shape(), stride, padding);
  auto out = paddle::empty({plan.batch, plan.channels, plan.out_h, plan.out_w}, x.dtype(), x.place());
  const float* from = x.data<float>();
  const float* weights = weight.data<float>();
  float* to = out.data<float>();
#pragma omp parallel
  {
    std::vector<float> phases(plan.phases() * plan.plane, 0.f), flat(plan.flat);
    std::vector<const float*> rows(plan.taps());
    for (int64_t tap = 0; tap < plan.taps(); ++tap) rows[tap] = phases.data() + plan.phase_of(tap) * plan.plane + plan.offset_of(tap);
#pragma omp for
    for (int64_t map = 0; map < plan.batch * plan.channels; ++map) {
      SplitIntoPhases(plan, from + map * plan.height * plan.width, phases.data());
      WeightedSum(plan.taps(), weights + map % plan.channels * plan.taps(), rows.data(), flat.data(), plan.flat);
      for (int64_t y = 0; y < plan.out_h; ++y)
        std::memcpy(to + (map * plan.out_h + y) * plan.out_w, flat.data() + y * plan.pitch, plan.out_w * sizeof(float));
    }
  }
  return {out};
}

std::vector<paddle::Tensor> DepthwiseBackward(
    const paddle::Tensor& x, const paddle::Tensor& weight, const paddle::Tensor& grad_out, int stride, int padding) {
  const Plan plan(x.shape(), weight.shape(), stride, padding);
  auto grad_x = paddle::empty(x.shape(), x.dtype(), x.place());
  auto grad_weight = paddle::empty(weight.shape(), weight.dtype(), weight.place());
  const float* from = x.data<float>();
  const float* weights = weight.data<float>();
  const float* grad = grad_out.data<float>();
  float* to_x = grad_x.data<float>();
  float* to_weight = grad_weight.data<float>();
  const int64_t reach = plan.slack;  // the largest offset of a tap, and more
#pragma omp parallel
  {
    std::vector<float> phases(plan.phases() * plan.plane, 0.f), back(plan.phases() * plan.plane);
    const int64_t covered = (plan.plane - kLanes) / kLanes * kLanes;
    std::vector<float> padded(reach + plan.plane + kLanes, 0.f);  // zeros before and after the gradient, and between its rows
    float* flat = padded.data() + reach;
    std::vector<const float*> rows(plan.taps());
    std::vector<PhaseTaps> by_phase(plan.phases());
    for (int64_t tap = 0; tap < plan.taps(); ++tap) {
      rows[tap] = phases.data() + plan.phase_of(tap) * plan.plane + plan.offset_of(tap);
      PhaseTaps& phase = by_phase[plan.phase_of(tap)];
      phase.taps.push_back(tap);
      phase.rows.push_back(flat - plan.offset_of(tap));
      phase.weights.push_back(0.f);
    }
    std::vector<double> sums(plan.taps());
#pragma omp for
    for (int64_t channel = 0; channel < plan.channels; ++channel) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (PhaseTaps& phase : by_phase)
        for (size_t i = 0; i < phase.taps.size(); ++i) phase.weights[i] = weights[channel * plan.taps() + phase.taps[i]];
      for (int64_t image = 0; image < plan.batch; ++image) {
        const int64_t map = image * plan.channels + channel;
        SplitIntoPhases(plan, from + map * plan.height * plan.width, phases.data());
        for (int64_t y = 0; y < plan.out_h; ++y)
          std::memcpy(flat + y * plan.pitch, grad + (map * plan.out_h + y) * plan.out_w, plan.out_w * sizeof(float));
        Correlations(plan.taps(), rows.data(), flat, sums.data(), plan.flat);
        for (int64_t p = 0; p < plan.phases(); ++p) {
          const PhaseTaps& phase = by_phase[p];
          WeightedSum(phase.taps.size(), phase.weights.data(), phase.rows.data(), back.data() + p * plan.plane, covered);
        }
        JoinPhases(plan, back.data(), to_x + map * plan.height * plan.width);
      }
      for (int64_t tap = 0; tap < plan.taps(); ++tap) to_weight[channel * plan.taps() + tap] = static_cast<float>(sums[tap]);
    }
  }
  return {grad_x, grad_weight};
}

std::vector<std::vector<int64_t>> DepthwiseShape(
    const std::vector<int64_t>& x, const std::vector<int64_t>& weight, int stride, int padding) {
  const Plan plan(x, weight, stride, padding);
  return {{plan.batch, plan.channels, plan.out_h, plan.out_w}};
}

std::vector<paddle::DataType> DepthwiseType(const paddle::DataType& x, const paddle::DataType&) { return {x}; }

std::vector<paddle::Tensor> UpsampleForward(const paddle::Tensor& x, int factor) {
  const auto shape = x.shape();
  const int64_t maps = shape[0] * shape[1], height = shape[2], width = shape[3], wide = width * factor;
  auto out = paddle::empty({shape[0], shape[1], height * factor, wide}, x.dtype(), x.place());
  const float* from = x.data<float>();
  float* to = out.data<float>();
#pragma omp parallel for
  for (int64_t row = 0; row < maps * height; ++row) {
    float* first = to + row * factor * wide;
    for (int64_t column = 0; column < width; ++column) std::fill_n(first + column * factor, factor, from[row * width + column]);
    for (int64_t copy = 1; copy < factor; ++copy) std::memcpy(first + copy * wide, first, wide * sizeof(float));
  }
  return {out};
}

std::vector<paddle::Tensor> UpsampleBackward(const paddle::Tensor& x, const paddle::Tensor& grad_out, int factor) {
  const auto shape = x.shape();
  const int64_t maps = shape[0] * shape[1], height = shape[2], width = shape[3], wide = width * factor;
  auto grad_x = paddle::empty(shape, x.dtype(), x.place());
  const float* grad = grad_out.data<float>();
  float* to = grad_x.data<float>();
#pragma omp parallel for
  for (int64_t row = 0; row < maps * height; ++row) {
    const float* block = grad + row * factor * wide;
    for (int64_t column = 0; column < width; ++column) {
      float sum = 0.f;
      for (int64_t y = 0; y < factor; ++y)
        for (int64_t copy = 0; copy < factor; ++copy) sum += block[y * wide + column * factor + copy];
      to[row * width + column] = sum;
    }
  }
  return {grad_x};
}

std::vector<std::vector<int64_t>> UpsampleShape(const std::vector<int64_t>& x, int factor) {
  return {{x[0], x[1], x[2] * factor, x[3] * factor}};
}

std::vector<paddle::DataType> UpsampleType(const paddle::DataType& x) { return {x}; }

PD_BUILD_OP(ppdet_depthwise_conv2d)
    .Inputs({"X", "Weight"})
    .Outputs({"Out"})
    .Attrs({"stride: int", "padding: int"})
    .SetKernelFn(PD_KERNEL(DepthwiseForward))
    .SetInferShapeFn(PD_INFER_SHAPE(DepthwiseShape))
    .SetInferDtypeFn(PD_INFER_DTYPE(DepthwiseType));

PD_BUILD_GRAD_OP(ppdet_depthwise_conv2d)
    .Inputs({"X", "Weight", paddle::Grad("Out")})
    .Outputs({paddle::Grad("X"), paddle::Grad("Weight")})
    .Attrs({"stride: int", "padding: int"})
    .SetKernelFn(PD_KERNEL(DepthwiseBackward));

PD_BUILD_OP(ppdet_upsample_nearest)
    .Inputs({"X"})
    .Outputs({"Out"})
    .Attrs({"factor: int"})
    .SetKernelFn(PD_KERNEL(UpsampleForward))
    .SetInferShapeFn(PD_INFER_SHAPE(UpsampleShape))
    .SetInferDtypeFn(PD_INFER_DTYPE(UpsampleType));

PD_BUILD_GRAD_OP(ppdet_upsample_nearest)
    .Inputs({"X", paddle::Grad("Out")})
    .Outputs({paddle::Grad("X")})
    .Attrs({"factor: int"})
    .SetKernelFn(PD_KERNEL(UpsampleBackward));
