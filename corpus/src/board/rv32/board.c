/* SPDX-License-Identifier: Apache-2.0 */
/* SiFive E31 (HiFive1 memory map): UART, GPIO, PWM, QSPI1, CLINT timer. */
#include "board/board.h"
#include "kernel/ring.h"

#include <stdio.h>

const char board_name[] = "sifive-e31";

struct fe_uart {
    volatile uint32_t tx, rx, tx_ctrl, rx_ctrl, irq_enable, irq_pending, divisor;
};
struct fe_gpio {
    volatile uint32_t value, input_enable, output_enable, out, pull_up;
};
struct fe_spi {
    volatile uint32_t divisor, mode, r0[2], cs_id, cs_def, cs_mode, r1[3], delay[2], r2[4];
    volatile uint32_t format, r3, tx, rx, tx_mark, rx_mark;
};
struct fe_pwm {
    volatile uint32_t config, r0, count, r1, scaled, r2[3], compare[4];
};
struct fe_watchdog {
    volatile uint32_t config, r0, count, r1, scaled, r2, feed, key, compare;
};

#define WATCHDOG ((struct fe_watchdog *)0x10000000u)
#define GPIO0    ((struct fe_gpio *)0x10012000u)
#define UART0    ((struct fe_uart *)0x10013000u)
#define PWM1     ((struct fe_pwm *)0x10025000u)
#define SPI1     ((struct fe_spi *)0x10024000u)
#define MTIME    ((volatile uint32_t *)0x0200bff8u)
#define MTIMECMP ((volatile uint32_t *)0x02004000u)

/* Control registers need an extension that -march=rv32imac does not name. */
#define CSR_ASM(text) ".option push\n .option arch, +zicsr\n " text "\n .option pop"

#define CORE_HZ  16000000u
#define MTIME_HZ 32768u

#define SPIN_LIMIT 10000u

static volatile uint32_t millis;
static uint8_t rx_space[32];
static struct ring rx_ring = RING_INIT(rx_space);
static uint32_t tick_share; /* mtime runs at 32768 Hz: 1 ms is 32.768 ticks */

static const uint8_t pin_bit[] = {
    [PIN_LED] = 22,   [PIN_FAN_ENABLE] = 0, [PIN_PUMP] = 1, [PIN_HEATER] = 2,
    [PIN_BUZZER] = 3, [PIN_SDA] = 12,       [PIN_SCL] = 13,
};

static void set_alarm(void)
{
    tick_share += 768;
    uint32_t step = 32 + tick_share / 1000;
    tick_share %= 1000;
    uint32_t low = MTIMECMP[0], next = low + step;
    MTIMECMP[1] = MTIMECMP[1] + (next < low);
    MTIMECMP[0] = next;
}

static void poll_uart(void)
{
    for (;;) {
        uint32_t v = UART0->rx;
        if (v >> 31)
            return;
        ring_put(&rx_ring, (uint8_t)v);
    }
}

static void __attribute__((interrupt("machine"), aligned(4))) trap_handler(void)
{
    uint32_t cause, epc, value;
    __asm__ volatile(CSR_ASM("csrr %0, mcause\n csrr %1, mepc\n csrr %2, mtval")
                     : "=r"(cause), "=r"(epc), "=r"(value));
    if (cause == 0x80000007u) {
        millis++;
        set_alarm();
        return;
    }
    printf("trap: cause %08lx pc %08lx value %08lx\n", (unsigned long)cause, (unsigned long)epc,
           (unsigned long)value);
    board_reset();
}

void board_init(void)
{
    UART0->divisor = CORE_HZ / 115200u - 1;
    UART0->tx_ctrl = 1;
    UART0->rx_ctrl = 1;
    GPIO0->output_enable = 1u << 22 | 0xf;
    GPIO0->input_enable = 3u << 12;
    PWM1->config = 1u << 12 | 1u << 9 | 4;
    SPI1->divisor = 3;
    MTIMECMP[1] = MTIME[1];
    MTIMECMP[0] = MTIME[0] + 33;
    __asm__ volatile(CSR_ASM("csrw mtvec, %0")::"r"(trap_handler));
    __asm__ volatile(CSR_ASM("csrs mie, %0")::"r"(1u << 7));
    __asm__ volatile(CSR_ASM("csrs mstatus, %0")::"r"(1u << 3));
}

uint32_t board_millis(void)
{
    return millis;
}

void board_idle(void)
{
    __asm__ volatile("wfi");
}

void board_reset(void)
{
    WATCHDOG->key = 0x51f15e;
    WATCHDOG->compare = 0;
    for (;;)
        board_idle();
}

void board_kick_watchdog(void)
{
    WATCHDOG->key = 0x51f15e;
    WATCHDOG->feed = 0xd09f00d;
}

void uart_put(uint8_t c)
{
    for (unsigned spin = 0; spin < SPIN_LIMIT && UART0->tx >> 31; spin++)
        ;
    UART0->tx = c;
}

int uart_get(void)
{
    poll_uart();
    return ring_get(&rx_ring);
}

void gpio_write(enum board_pin pin, bool on)
{
    uint32_t bit = 1u << pin_bit[pin];
    if (pin == PIN_SDA || pin == PIN_SCL) {
        /* Open drain: drive low, or let the pull-up win. */
        GPIO0->output_enable = on ? GPIO0->output_enable & ~bit : GPIO0->output_enable | bit;
        return;
    }
    GPIO0->out = on ? GPIO0->out | bit : GPIO0->out & ~bit;
}

bool gpio_read(enum board_pin pin)
{
    return GPIO0->value >> pin_bit[pin] & 1;
}

void pwm_set(unsigned channel, uint16_t value)
{
    if (channel < 4)
        PWM1->compare[channel] = (value > 1000 ? 1000u : value) * 65535u / 1000u;
}

uint16_t pwm_get(unsigned channel)
{
    return channel < 4 ? (uint16_t)(PWM1->compare[channel] * 1000u / 65535u) : 0;
}

void spi_select(enum spi_device device, bool on)
{
    SPI1->cs_id = device;
    SPI1->cs_mode = on ? 2 : 0;
}

uint8_t spi_exchange(uint8_t out)
{
    for (unsigned spin = 0; spin < SPIN_LIMIT && SPI1->tx >> 31; spin++)
        ;
    SPI1->tx = out;
    uint32_t in = 1u << 31;
    for (unsigned spin = 0; spin < SPIN_LIMIT && in >> 31; spin++)
        in = SPI1->rx;
    return (uint8_t)in;
}
