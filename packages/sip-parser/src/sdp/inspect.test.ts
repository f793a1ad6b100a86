import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { problemsMax } from '../limits'
import { inspectSdp } from './inspect'

const START = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 1 RTP/AVP 31\r\n'

describe('SDP inspection', () => {
  it('finds nothing in a good description', () => {
    expect(inspectSdp(`${START}a=rtpmap:31 H261/90000\r\na=x:\r\n`)).toMatchObject({ ok: true, problems: [] })
  })

  it('says where in the bytes each malformed attribute goes wrong', () => {
    const text = `${START}a=x:\u00e9\r\na=rtpmap:31 LPC\na=ptime:0\r\na=ssrc:1 \u00e9\r\n`
    const { ok, sdp, problems } = inspectSdp(Buffer.from(text))
    expect([ok, sdp?.media.length]).toEqual([false, 1])
    const rest = problems.map(({ code, offset }) => [
      code,
      Buffer.from(text)
        .subarray(offset, offset + 2)
        .toString(),
    ])
    expect(rest).toEqual([
      ['SDP_RTPMAP_INVALID', '\na'],
      ['SDP_PACKET_TIME_INVALID', '0\r'],
      ['SDP_SSRC_INVALID', '\u00e9'],
    ])
    expect(inspectSdp(text)).toEqual(inspectSdp(Buffer.from(text)))
  })

  it('gives the one problem of a line', () => {
    expect(inspectSdp('v=1')).toMatchObject({ ok: false, problems: [{ code: 'SDP_VERSION_INVALID' }] })
  })

  it('stops at the limit', () => {
    expect(inspectSdp(START + 'a=ptime:x\r\n'.repeat(500)).problems).toHaveLength(problemsMax)
  })
})
