import { describe, expect, it } from 'vitest'
import { t38Attributes, t38Codec, t38Of } from './t38'

const media = (...lines: string[]) => ({
  attributes: lines.map((line) => {
    const colon = line.indexOf(':')
    return colon < 0 ? { name: line } : { name: line.slice(0, colon), value: line.slice(colon + 1) }
  }),
})

describe('T.38', () => {
  it('reads the attributes of a fax, whatever the case of their names', () => {
    expect(
      t38Of(
        media(
          'T38FaxVersion:0',
          't38maxbitrate:14400',
          'T38FaxRateManagement:transferredTCF',
          'T38FaxMaxBuffer:262',
          'T38FaxUdpEC:T38UDPRedundancy',
          'T38FaxFillBitRemoval',
          'T38FaxTranscodingMMR:0',
          'T38FaxVersion:3',
          'other:x',
        ),
      ),
    ).toEqual({
      ok: true,
      value: {
        version: 0,
        maxBitRate: 14_400,
        rateManagement: 'transferredTCF',
        maxBuffer: 262,
        errorCorrection: 't38UDPRedundancy',
        fillBitRemoval: true,
        transcodingMmr: false,
      },
    })
  })

  it.each(['T38MaxBitRate:fast', 'T38FaxRateManagement:other', 'T38FaxUdpEC', 'T38FaxTranscodingJBIG:yes'])(
    'refuses %s',
    (line) => {
      expect(t38Of(media(line))).toMatchObject({ ok: false, error: { code: 'SDP_T38_INVALID' } })
    },
  )

  it('writes parameters that read the same', () => {
    const value = { version: 3, maxDatagram: 400, rateManagement: 'localTCF', transcodingMmr: true } as const
    expect(t38Of({ attributes: t38Attributes(value) })).toEqual({ ok: true, value })
    expect(() => t38Attributes({ version: -1 })).toThrow()
    expect(t38Codec('T38Nothing')).toBeUndefined()
  })
})
