import { describe, expect, it } from 'vitest'
import { readDtmf, writeDtmf } from './dtmf'

const read = (type: string | undefined, text: string) => readDtmf(type, Buffer.from(text))

describe('digits in INFO', () => {
  it('are read back as written', () => {
    for (const digit of '0123456789*#ABCD!')
      expect(read('application/dtmf-relay', writeDtmf({ digit, durationMs: 90 }))).toEqual({ digit, durationMs: 90 })
  })

  it('come in the ways that phones write them', () => {
    expect(read('Application/DTMF-Relay; x=1', 'Signal= 5\r\nDuration= 160\r\n')).toEqual({
      digit: '5',
      durationMs: 160,
    })
    expect(read('application/dtmf-relay', 'signal=11\n')).toEqual({ digit: '#', durationMs: 160 })
    expect(read('application/dtmf', ' d ')).toEqual({ digit: 'D', durationMs: 160 })
    expect(read('application/dtmf-relay', 'Signal=1\r\nDuration=999999\r\n')).toEqual({ digit: '1', durationMs: 5_000 })
  })

  it('are nothing when they cannot be understood', () => {
    expect(read('application/dtmf-relay', '')).toBeUndefined()
    expect(read('application/dtmf-relay', 'Signal=99\r\n')).toBeUndefined()
    expect(read('application/dtmf-relay', `Signal=1${' '.repeat(300)}`)).toBeUndefined()
    expect(read('text/plain', '5')).toBeUndefined()
    expect(read(undefined, '5')).toBeUndefined()
  })
})
