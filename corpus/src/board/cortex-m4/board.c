/* SPDX-License-Identifier: Apache-2.0 */
/* Arm MPS2 (AN386, Cortex-M4): CMSDK peripherals, PL022 SPI, bit-banged I2C port. */
#include "board/board.h"
#include "kernel/ring.h"

const char board_name[] = "mps2-an386";

struct cmsdk_uart {
    volatile uint32_t data, state, ctrl, irq, baud;
};
struct cmsdk_gpio {
    volatile uint32_t in, out, reserved[2], enable_set, enable_clear;
};
struct cmsdk_timer {
    volatile uint32_t ctrl, value, reload, irq;
};
struct cmsdk_watchdog {
    volatile uint32_t load, value, ctrl, clear;
};
struct pl022 {
    volatile uint32_t cr0, cr1, data, status, prescale, mask, raw, masked, clear;
};
struct sbcon {
    volatile uint32_t set, clear;
};
struct systick {
    volatile uint32_t ctrl, reload, value, calib;
};

#define UART0     ((struct cmsdk_uart *)0x40004000u)
#define TIMER0    ((struct cmsdk_timer *)0x40000000u)
#define WATCHDOG  ((struct cmsdk_watchdog *)0x40008000u)
#define GPIO0     ((struct cmsdk_gpio *)0x40010000u)
#define GPIO1     ((struct cmsdk_gpio *)0x40011000u)
#define SPI0      ((struct pl022 *)0x40020000u)
#define I2C0      ((struct sbcon *)0x40022000u)
#define SYSTICK   ((struct systick *)0xe000e010u)
#define NVIC_ISER (*(volatile uint32_t *)0xe000e100u)
#define SCB_AIRCR (*(volatile uint32_t *)0xe000ed0cu)

#define CORE_HZ      25000000u
#define UART_BAUD    115200u
#define PWM_CHANNELS 4u

void tick_handler(void);
void uart_handler(void);

static volatile uint32_t millis;
static uint8_t rx_space[64];
static struct ring rx_ring = RING_INIT(rx_space);
static uint16_t duty[PWM_CHANNELS];

void tick_handler(void)
{
    millis++;
    for (unsigned i = 0; i < PWM_CHANNELS; i++) {
        uint32_t bit = 1u << (8 + i);
        GPIO1->out = millis % 1000 < duty[i] ? GPIO1->out | bit : GPIO1->out & ~bit;
    }
}

void uart_handler(void)
{
    UART0->irq = 2;
    while (UART0->state & 2)
        ring_put(&rx_ring, (uint8_t)UART0->data);
}

void board_init(void)
{
    UART0->baud = CORE_HZ / UART_BAUD;
    UART0->ctrl = 1 | 2 | 8;
    SYSTICK->reload = CORE_HZ / 1000 - 1;
    SYSTICK->value = 0;
    SYSTICK->ctrl = 7;
    GPIO0->enable_set = 0x00ff;
    GPIO1->enable_set = 0x0fff;
    SPI0->prescale = 4;
    SPI0->cr0 = 7;
    SPI0->cr1 = 2;
    NVIC_ISER = 1;
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
    SCB_AIRCR = 0x05fa0004u;
    for (;;)
        board_idle();
}

void board_kick_watchdog(void)
{
    WATCHDOG->load = CORE_HZ * 4;
}

void uart_put(uint8_t c)
{
    while (UART0->state & 1)
        ;
    UART0->data = c;
}

int uart_get(void)
{
    return ring_get(&rx_ring);
}

void gpio_write(enum board_pin pin, bool on)
{
    uint32_t bit = 1u << pin;
    if (pin == PIN_SDA || pin == PIN_SCL) {
        bit = pin == PIN_SCL ? 1 : 2;
        if (on)
            I2C0->set = bit;
        else
            I2C0->clear = bit;
        return;
    }
    GPIO0->out = on ? GPIO0->out | bit : GPIO0->out & ~bit;
}

bool gpio_read(enum board_pin pin)
{
    if (pin == PIN_SDA || pin == PIN_SCL)
        return I2C0->set & (pin == PIN_SCL ? 1 : 2);
    return GPIO0->in & 1u << pin;
}

void pwm_set(unsigned channel, uint16_t value)
{
    if (channel < PWM_CHANNELS)
        duty[channel] = value > 1000 ? 1000 : value;
}

uint16_t pwm_get(unsigned channel)
{
    return channel < PWM_CHANNELS ? duty[channel] : 0;
}

void spi_select(enum spi_device device, bool on)
{
    uint32_t bit = 1u << device;
    GPIO1->out = on ? GPIO1->out & ~bit : GPIO1->out | bit;
}

uint8_t spi_exchange(uint8_t out)
{
    SPI0->data = out;
    for (unsigned spin = 0; spin < 10000 && !(SPI0->status & 4); spin++)
        ;
    return (uint8_t)SPI0->data;
}
