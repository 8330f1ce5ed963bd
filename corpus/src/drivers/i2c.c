/* SPDX-License-Identifier: Apache-2.0 */
/* I2C master on two open-drain pins. */
#include "drivers/bus.h"

#include "board/board.h"

static void half_bit(void)
{
    for (volatile int i = 0; i < 8; i++)
        ;
}

static void set_lines(bool scl, bool sda)
{
    gpio_write(PIN_SDA, sda);
    gpio_write(PIN_SCL, scl);
    half_bit();
}

static void start(void)
{
    set_lines(true, true);
    set_lines(true, false);
    set_lines(false, false);
}

static void stop(void)
{
    set_lines(false, false);
    set_lines(true, false);
    set_lines(true, true);
}

static bool exchange_bit(bool out)
{
    gpio_write(PIN_SDA, out);
    half_bit();
    gpio_write(PIN_SCL, true);
    half_bit();
    bool in = gpio_read(PIN_SDA);
    gpio_write(PIN_SCL, false);
    return in;
}

static bool send_byte(uint8_t v)
{
    for (int i = 7; i >= 0; i--)
        exchange_bit(v >> i & 1);
    return !exchange_bit(true);
}

static uint8_t receive_byte(bool more)
{
    uint8_t v = 0;
    for (int i = 0; i < 8; i++)
        v = (uint8_t)(v << 1 | exchange_bit(true));
    exchange_bit(!more);
    return v;
}

static int send_all(uint8_t address, const uint8_t *tx, size_t len)
{
    start();
    if (!send_byte((uint8_t)(address << 1)))
        return FEN_ERR_MISSING;
    for (size_t i = 0; i < len; i++)
        if (!send_byte(tx[i]))
            return FEN_ERR_BUS;
    return FEN_OK;
}

int i2c_transfer(uint8_t address, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t rx_len)
{
    int err = tx_len ? send_all(address, tx, tx_len) : FEN_OK;
    if (!err && rx_len) {
        start();
        if (send_byte((uint8_t)(address << 1 | 1)))
            for (size_t i = 0; i < rx_len; i++)
                rx[i] = receive_byte(i + 1 < rx_len);
        else
            err = FEN_ERR_MISSING;
    }
    stop();
    return err;
}

static int wire_transfer(void *ctx, uint8_t address, const uint8_t *tx, size_t tx_len, uint8_t *rx,
                         size_t rx_len)
{
    (void)ctx;
    return i2c_transfer(address, tx, tx_len, rx, rx_len);
}

const struct bus bus_wire = {wire_transfer, NULL};

int bus_write_register(const struct bus *b, uint8_t address, uint8_t reg, uint8_t value)
{
    uint8_t tx[2] = {reg, value};
    return b->transfer(b->ctx, address, tx, 2, NULL, 0);
}

int bus_read_registers(const struct bus *b, uint8_t address, uint8_t reg, uint8_t *rx, size_t len)
{
    return b->transfer(b->ctx, address, &reg, 1, rx, len);
}
