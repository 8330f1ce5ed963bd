/* SPDX-License-Identifier: Apache-2.0 */
/* What a board gives to the application. */
#ifndef FEN_BOARD_H
#define FEN_BOARD_H

#include "fen.h"

extern const char board_name[];

void board_init(void);
uint32_t board_millis(void);
void board_idle(void);
void board_reset(void);
void board_kick_watchdog(void);

void uart_put(uint8_t c);
int uart_get(void); /* -1: nothing received */

enum board_pin { PIN_LED, PIN_FAN_ENABLE, PIN_PUMP, PIN_HEATER, PIN_BUZZER, PIN_SDA, PIN_SCL };

void gpio_write(enum board_pin pin, bool on);
bool gpio_read(enum board_pin pin);
void pwm_set(unsigned channel, uint16_t duty); /* 0..1000 */
uint16_t pwm_get(unsigned channel);

/* One transaction: write, then a repeated start and read. Either length may be 0. */
int i2c_transfer(uint8_t address, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t rx_len);

enum spi_device { SPI_NOR, SPI_ADC, SPI_DISPLAY };

void spi_select(enum spi_device device, bool on);
uint8_t spi_exchange(uint8_t out);

#endif
