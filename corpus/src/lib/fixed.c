/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/fixed.h"

#include "lib/tables.h"

static int32_t saturate(int64_t v)
{
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

int32_t fixed_clamp(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

int32_t q16_mul(int32_t a, int32_t b)
{
    return saturate(((int64_t)a * b + 0x8000) >> 16);
}

int32_t q16_div(int32_t a, int32_t b)
{
    if (b == 0)
        return a < 0 ? INT32_MIN : INT32_MAX;
    return saturate(((int64_t)a * 65536) / b);
}

uint32_t fixed_isqrt(uint32_t v)
{
    uint32_t root = 0;
    for (uint32_t bit = 1u << 30; bit; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

int32_t q16_sqrt(int32_t v)
{
    if (v <= 0)
        return 0;
    int shift = 0;
    uint32_t u = (uint32_t)v;
    while (u < 1u << 28) {
        u <<= 2;
        shift++;
    }
    return (int32_t)((fixed_isqrt(u) << 8) >> shift);
}

int32_t q16_exp2(int32_t v)
{
    if (v >= Q16(15))
        return INT32_MAX;
    if (v < Q16(-16))
        return 0;
    int whole = (int)(v >> 16);
    uint32_t part = (uint32_t)v & 0xffff, i = part >> 10, f = part & 0x3ff;
    uint32_t m = exp2_table[i] + ((exp2_table[i + 1] - exp2_table[i]) * f >> 10);
    return (int32_t)(whole >= 0 ? m << whole : m >> -whole);
}

int32_t q16_log2(int32_t v)
{
    if (v <= 0)
        return INT32_MIN;
    int32_t result = 0;
    uint32_t u = (uint32_t)v;
    for (; u >= 2u * Q16_ONE; u >>= 1)
        result += Q16_ONE;
    for (; u < Q16_ONE; u <<= 1)
        result -= Q16_ONE;
    for (int32_t bit = Q16_ONE / 2; bit; bit >>= 1) {
        u = (uint32_t)((uint64_t)u * u >> 16);
        if (u >= 2u * Q16_ONE) {
            u >>= 1;
            result += bit;
        }
    }
    return result;
}

int16_t q15_sin(uint16_t turn)
{
    uint32_t quarter = turn >> 14, pos = turn & 0x3fff;
    if (quarter & 1)
        pos = 0x4000 - pos;
    uint32_t i = pos >> 6, f = pos & 63;
    int32_t v = sine_table[i];
    if (f)
        v += (sine_table[i + 1] - v) * (int32_t)f / 64;
    return (int16_t)(quarter & 2 ? -v : v);
}

int16_t q15_cos(uint16_t turn)
{
    return q15_sin((uint16_t)(turn + 0x4000));
}

/* Rational approximation of the arc tangent within an octant. */
uint16_t fixed_atan2(int32_t y, int32_t x)
{
    uint32_t ax = (uint32_t)(x < 0 ? -x : x), ay = (uint32_t)(y < 0 ? -y : y);
    if (!ax && !ay)
        return 0;
    bool swap = ay > ax;
    int32_t r = q16_div((int32_t)(swap ? ax : ay), (int32_t)(swap ? ay : ax));
    int32_t t =
        q16_mul(r, Q16(0.1591549) - q16_mul(r - Q16_ONE, Q16(0.0389) + q16_mul(r, Q16(0.0105))) -
                       Q16(0.0341549));
    uint32_t turn = (uint32_t)t;
    if (swap)
        turn = 0x4000 - turn;
    if (x < 0)
        turn = 0x8000 - turn;
    return (uint16_t)(y < 0 ? 0u - turn : turn);
}

int32_t fixed_lerp(const int16_t *table, size_t count, int32_t pos_q8)
{
    pos_q8 = fixed_clamp(pos_q8, 0, (int32_t)(count - 1) * 256);
    size_t i = (size_t)pos_q8 >> 8;
    int32_t f = pos_q8 & 255;
    if (!f)
        return table[i];
    return table[i] + (table[i + 1] - table[i]) * f / 256;
}
