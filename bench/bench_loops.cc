/* SPDX-License-Identifier: Apache-2.0 */
/* The hot loops of differ and patcher, on the firmware of corpus/.  Run from the top directory. */
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

/* The headers are C: `new` is a name there. */
#define new new_image
extern "C" {
#include "arch.h"
#include "inlay.h"
#include "model.h"
#include "segment.h"
}
#undef new

namespace
{

struct Class {
    const char *name;
    const inlay_arch *arch;
    uint32_t base;
};

const Class classes[] = {
    {"cortex-m4", &inlay_arch_thumb2, 0x00010000},
    {"rv32", &inlay_arch_riscv, 0x20400000},
};

[[noreturn]] void fail(const std::string &what)
{
    std::fprintf(stderr, "bench_loops: %s\n", what.c_str());
    std::exit(1);
}

std::vector<uint8_t> load(const Class &c, const char *version)
{
    std::string path = std::string("corpus/images/") + c.name + "/" + version + ".bin";
    std::ifstream f(path, std::ios::binary);
    std::vector<uint8_t> data((std::istreambuf_iterator<char>(f)),
                              std::istreambuf_iterator<char>());
    if (data.empty())
        fail("cannot read " + path);
    return data;
}

/* One decision with a full ballot: predict, learn. */
void mix_decision(benchmark::State &state)
{
    int16_t weights[2][2 * INLAY_VOTES] = {};
    uint16_t counters[INLAY_VOTES];
    for (uint16_t &c : counters)
        c = INLAY_COUNTER_START;
    uint32_t random = 1;
    for (auto _ : state) {
        inlay_ballot b = {};
        b.weight[0] = weights[0];
        b.weight[1] = weights[1];
        for (uint16_t c : counters)
            inlay_vote(&b, inlay_counter_p(c));
        benchmark::DoNotOptimize(inlay_mix(&b));
        random = random * 1664525u + 1013904223u;
        unsigned bit = random >> 24 < 20;
        inlay_mix_learn(&b, bit, 6);
        for (uint16_t &c : counters)
            inlay_counter_learn(&c, bit, INLAY_COUNTER_SLOW);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(mix_decision);

/* Taking an image apart into units. */
void parse_units(benchmark::State &state)
{
    const Class &c = classes[state.range(0)];
    std::vector<uint8_t> image = load(c, "v1.2.0");
    for (auto _ : state) {
        inlay_arch_state st = {};
        for (uint32_t pos = 0; pos < image.size();) {
            uint32_t left = static_cast<uint32_t>(image.size()) - pos;
            inlay_unit u = {};
            c.arch->parse(&st, &image[pos], left < INLAY_WINDOW ? left : INLAY_WINDOW, c.base + pos,
                          &u);
            benchmark::DoNotOptimize(u.target);
            pos += u.len;
        }
    }
    state.SetLabel(c.name);
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * image.size()));
}
BENCHMARK(parse_units)->DenseRange(0, 1)->Unit(benchmark::kMicrosecond);

/* Candidates and the choice among them, without prediction or coding. */
void match_images(benchmark::State &state)
{
    const Class &c = classes[state.range(0)];
    std::vector<uint8_t> from = load(c, "v1.0.0"), to = load(c, "v1.2.0");
    for (auto _ : state) {
        inlay_segments segments = {};
        const inlay_match_options options = {};
        if (inlay_match_images(from.data(), from.size(), to.data(), to.size(), &options, &segments))
            fail("out of memory");
        inlay_segments_free(&segments);
    }
    state.SetLabel(c.name);
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * to.size()));
}
BENCHMARK(match_images)->DenseRange(0, 1)->Unit(benchmark::kMillisecond);

struct Prepared {
    inlay_image from = {}, to = {};
    inlay_profile profile = {};
    inlay_diff_options options = {};

    explicit Prepared(const Class &c)
    {
        parse(load(c, "v1.0.0"), &from);
        parse(load(c, "v1.2.0"), &to);
        inlay_error err;
        if (inlay_profile_load("host", &profile, &err))
            fail(err.text);
        options.base = c.base;
        options.base_known = 1;
    }

    ~Prepared()
    {
        inlay_image_free(&from);
        inlay_image_free(&to);
    }

    Prepared(const Prepared &) = delete;
    Prepared &operator=(const Prepared &) = delete;

    inlay_diff_result diff() const
    {
        inlay_diff_result result = {};
        inlay_error err;
        if (inlay_diff(&from, &to, &profile, &options, &result, &err))
            fail(err.text);
        return result;
    }

  private:
    static void parse(const std::vector<uint8_t> &bytes, inlay_image *image)
    {
        inlay_error err;
        if (inlay_image_parse(bytes.data(), bytes.size(), "corpus", image, &err))
            fail(err.text);
    }
};

void whole_diff(benchmark::State &state)
{
    const Class &c = classes[state.range(0)];
    Prepared p(c);
    for (auto _ : state) {
        inlay_diff_result result = p.diff();
        inlay_diff_result_free(&result);
    }
    state.SetLabel(c.name);
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * p.to.size));
}
BENCHMARK(whole_diff)->DenseRange(0, 1)->Unit(benchmark::kMillisecond);

void whole_apply(benchmark::State &state)
{
    const Class &c = classes[state.range(0)];
    Prepared p(c);
    inlay_diff_result result = p.diff();
    for (auto _ : state) {
        inlay_buffer out = {};
        inlay_error err;
        if (inlay_apply(p.from.data, p.from.size, result.patch.data, result.patch.len, nullptr,
                        &out, &err))
            fail(err.text);
        inlay_buffer_free(&out);
    }
    inlay_diff_result_free(&result);
    state.SetLabel(c.name);
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * p.to.size));
}
BENCHMARK(whole_apply)->DenseRange(0, 1)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
