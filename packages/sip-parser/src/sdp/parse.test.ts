import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { sdpBytesMax, sdpLinesMax, sdpMediaMax } from '../limits'
import type { SdpProblemCode } from './errors'
import { parseSdp } from './parse'
import { sdpToBytes, serializeSdp } from './serialize'
import type { SessionDescription } from './session'

const FULL = [
  'v=0',
  'o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1',
  's=Call to John Smith',
  'i=SDP Offer #1',
  'u=http://www.jdoe.example.com/home.html',
  'e=Jane Doe <jane@jdoe.example.com>',
  'e=second@example.com',
  'p=+1 617 555-6011',
  'c=IN IP4 198.51.100.1',
  'b=AS:128',
  't=3034423619 3042462419',
  'r=7d 1h 0 25h',
  't=0 0',
  'z=2882844526 -1h',
  'k=prompt',
  'a=recvonly',
  'a=tool:x y:z',
  'm=audio 49170/2 RTP/AVP 0 8 97',
  'i=Voice',
  'c=IN IP4 224.2.1.1/127/3',
  'c=IN IP4 224.2.1.4/127',
  'b=TIAS:64000',
  'k=clear:secret',
  'a=rtpmap:97 iLBC/8000',
  'a=X-flag',
  'a=',
  'm=video 0 RTP/AVP 31',
  'c=IN IP6 2001:db8::1',
  '',
]
  .filter((line) => line !== 'a=')
  .join('\r\n')

const SMALL = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

function parsed(text: string | Uint8Array): SessionDescription {
  const result = parseSdp(text)
  if (!result.ok) throw new Error(result.error.code)
  return result.value
}

function problemOf(text: string | Uint8Array): [code: string, offset: number] | undefined {
  const result = parseSdp(text)
  return result.ok ? undefined : [result.error.code, result.error.offset]
}

describe('SDP parser and serializer', () => {
  it('RFC 8866 §5: give back every line of a description in order', () => {
    expect(serializeSdp(parsed(FULL))).toBe(FULL)
    expect(serializeSdp(parsed(Buffer.from(FULL)))).toBe(FULL)
  })

  it('read each field', () => {
    const sdp = parsed(FULL)
    expect(sdp.origin).toEqual({
      username: 'jdoe',
      sessionId: '3724394400',
      sessionVersion: '3724394405',
      netType: 'IN',
      family: 'IP4',
      address: '198.51.100.1',
    })
    expect(sdp.emails.length).toBe(2)
    expect(sdp.timing[0]?.repeats).toEqual(['7d 1h 0 25h'])
    expect(sdp.attributes).toEqual([{ name: 'recvonly' }, { name: 'tool', value: 'x y:z' }])
    expect(sdp.media[0]).toMatchObject({
      media: 'audio',
      port: 49_170,
      portCount: 2,
      protocol: 'RTP/AVP',
      formats: ['0', '8', '97'],
      title: 'Voice',
      connection: { netType: 'IN', family: 'IP4', address: '224.2.1.1', suffix: '/127/3' },
      bandwidth: [{ modifier: 'TIAS', value: '64000' }],
    })
    expect(sdp.media[1]).toMatchObject({ port: 0, connection: { family: 'IP6', address: '2001:db8::1' } })
  })

  it('read what phones send: bare line feeds, empty s=, no s=, no t=, lines out of order, a blank line at the end', () => {
    const lines = [
      'v=0',
      't=0 0',
      'c=IN IP4 192.0.2.1 ',
      'o=-  1 1 IN IP4 192.0.2.1',
      'a=x',
      'm=audio  4000 RTP/AVP 0',
      'a=y',
    ]
    const sdp = parsed(`${lines.join('\n')}\n\n`)
    expect(sdp).toMatchObject({ name: '-', connection: { address: '192.0.2.1' }, media: [{ port: 4_000 }] })
    expect(parsed(SMALL.replace('s=-', 's=')).name).toBe('')
    expect(parsed(SMALL.replace('t=0 0\r\n', '')).timing).toEqual([])
    expect(parsed(SMALL.replace('RTP/AVP 0', 'RTP/AVP 0\r\nm=video 0 RTP/AVP')).media[1]?.formats).toEqual([])
    expect(parsed(SMALL.slice(0, -2)).media.length).toBe(1)
  })

  it('keep UTF-8, and read other bytes as Latin-1', () => {
    expect(parsed(Buffer.from(SMALL.replace('s=-', 's=Zo\u00eb'))).name).toBe('Zo\u00eb')
    expect(parsed(Buffer.from(SMALL.replace('s=-', 's=Zo\u00eb'), 'latin1')).name).toBe('Zo\u00eb')
  })

  it.each<[string, string, SdpProblemCode, number]>([
    ['nothing', '', 'SDP_EMPTY', 0],
    ['line ends only', '\r\n\r\n', 'SDP_EMPTY', 0],
    ['a SIP message', 'INVITE sip:a@b SIP/2.0\r\n', 'SDP_LINE_INVALID', 0],
    ['another version', SMALL.replace('v=0', 'v=1'), 'SDP_VERSION_INVALID', 0],
    ['no version', SMALL.slice(5), 'SDP_VERSION_INVALID', 0],
    ['no origin', SMALL.replace(/o=.*\r\n/, ''), 'SDP_ORIGIN_INVALID', SMALL.length - 26],
    ['a short origin', SMALL.replace('o=- 1 1', 'o=- 1'), 'SDP_ORIGIN_INVALID', 5],
    ['two names', SMALL.replace('s=-', 's=-\r\ns=-'), 'SDP_LINE_REPEATED', 36],
    ['two versions', SMALL.replace('s=-', 'v=0'), 'SDP_LINE_REPEATED', 31],
    ['a connection that is none', SMALL.replace('c=IN IP4', 'c=ATM'), 'SDP_CONNECTION_INVALID', 36],
    ['a time that is none', SMALL.replace('t=0 0', 't=now'), 'SDP_TIMING_INVALID', 56],
    ['a port beyond the last', SMALL.replace('4000', '65536'), 'SDP_PORT_INVALID', 63],
    ['a negative port', SMALL.replace('4000', '-1'), 'SDP_PORT_INVALID', 63],
    ['a medium without formats', SMALL.replace('RTP/AVP 0', 'RTP/AVP'), 'SDP_MEDIA_INVALID', 63],
    ['a medium without protocol', SMALL.replace(' RTP/AVP 0', ''), 'SDP_MEDIA_INVALID', 63],
    ['a session line in a medium', `${SMALL}t=0 0\r\n`, 'SDP_LINE_INVALID', SMALL.length],
    ['a line without equals sign', `${SMALL}nonsense\r\n`, 'SDP_LINE_INVALID', SMALL.length],
    ['a line after the end', `${SMALL}\r\na=x\r\n`, 'SDP_LINE_INVALID', SMALL.length + 2],
    ['a carriage return in a value', `${SMALL}a=x\ry\r\n`, 'SDP_CONTROL_CHARACTER', SMALL.length],
    ['a NUL', `${SMALL}a=x\0\r\n`, 'SDP_CONTROL_CHARACTER', SMALL.length],
    ['an attribute without name', `${SMALL}a=:x\r\n`, 'SDP_LINE_INVALID', SMALL.length],
  ])('refuse %s', (_name, text, code, offset) => {
    expect(problemOf(text)).toEqual([code, offset])
  })

  it('count the offset of a problem in bytes', () => {
    const text = SMALL.replace('s=-', 's=\u00e9\u00e9\u00e9')
    expect(problemOf(`${text}nonsense`)).toEqual(['SDP_LINE_INVALID', Buffer.byteLength(text)])
  })

  it('keep their limits', () => {
    expect(problemOf(`${SMALL}a=${'x'.repeat(sdpBytesMax)}`)?.[0]).toBe('SDP_TOO_LARGE')
    expect(problemOf(SMALL + 'a=x\r\n'.repeat(sdpLinesMax))?.[0]).toBe('SDP_TOO_MANY_LINES')
    expect(problemOf(SMALL + 'm=audio 4000 RTP/AVP 0\r\n'.repeat(sdpMediaMax))?.[0]).toBe('SDP_TOO_MANY_MEDIA')
  })

  it('read a description cut at every length, or with any byte changed, without an exception', () => {
    const bytes = Buffer.from(FULL)
    for (let size = 0; size < bytes.length; size++) parseSdp(bytes.subarray(0, size))
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 10, 13, 32, 61, 255]) {
        const changed = Buffer.from(bytes)
        changed[at] = value
        const result = parseSdp(changed)
        // What is accepted can be written as it came, and reads the same again.
        if (!result.ok) continue
        expect(sdpToBytes(result.value).equals(changed)).toBe(true)
        expect(parsed(serializeSdp(result.value, { lineEnds: 'crlf' }))).toEqual(result.value)
      }
    }
  })

  it('let no field begin a line of its own', () => {
    const sdp = parsed(SMALL)
    expect(() => serializeSdp({ ...sdp, name: 'x\r\nc=IN IP4 6.6.6.6' })).toThrow()
    expect(() => serializeSdp({ ...sdp, attributes: [{ name: 'y', value: 'z\nm=audio 1 RTP/AVP 0' }] })).toThrow()
  })
})
