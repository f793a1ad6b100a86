import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { withAttribute, withoutAttributes } from './attributes/attribute'
import { parseSdp } from './parse'
import { mediaOffsets, sdpToBytes, serializeSdp } from './serialize'
import type { SessionDescription } from './session'

/** Everything in the wrong place and with odd white space. */
const ODD = [
  'v=0',
  'a=early',
  't=0 0',
  'o=-  1 1 IN IP4   192.0.2.1 ',
  'z=0 0',
  'b=CT:1',
  'b=broken',
  'b=AS:2',
  'c=IN  IP4 192.0.2.1 ',
  'r=7d 1h 0',
  'a=late',
  'm=audio  4000   RTP/AVP 0  8',
  'a=sendrecv',
  'k=clear:x',
  'a=ptime:20',
  'c=IN IP4  192.0.2.2',
  'm=video 0 RTP/AVP 31',
].join('\r\n')

function parsed(text: string | Uint8Array): SessionDescription {
  const result = parseSdp(text)
  if (!result.ok) throw new Error(result.error.code)
  return result.value
}

function changed(source: string, change: (sdp: SessionDescription) => SessionDescription): string[] {
  const from = `${source}\r\n`
  const before = from.split('\r\n')
  const after = serializeSdp(change(parsed(from))).split('\r\n')
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `-${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+${line}`),
  ]
}

describe('SDP serializer', () => {
  it.each([
    ['CRLF', `${ODD}\r\n`],
    ['LF alone', `${ODD}\r\n`.replaceAll('\r\n', '\n')],
    ['both', `${ODD}\r\n`.replace('\r\n', '\n')],
    ['no end of the last line', ODD],
    ['a carriage return alone at the end', `${ODD}\r`],
    ['empty lines at the end', `${ODD}\r\n\r\n\n`],
    ['an empty line that ends in a carriage return', `${ODD}\r\n\r`],
    ['neither name nor time', 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n'],
  ])('gives back what nobody changed byte for byte: %s', (_name, text) => {
    expect(serializeSdp(parsed(text))).toBe(text)
    expect(sdpToBytes(parsed(Buffer.from(text))).toString()).toBe(text)
    expect(serializeSdp({ ...parsed(text) })).toBe(text)
  })

  it('gives back bytes that are not UTF-8', () => {
    const bytes = Buffer.from(`${ODD}\r\ni=caf\u00e9\r\n`, 'latin1')
    expect(sdpToBytes(parsed(bytes)).equals(bytes)).toBe(true)
    const sdp = parsed(bytes)
    expect(sdpToBytes({ ...sdp, info: '\u2603' }).toString()).toContain('i=\u2603')
  })

  it('writes only the line of a field that changed', () => {
    expect(changed(ODD, (sdp) => ({ ...sdp, origin: { ...sdp.origin, sessionVersion: '2' } }))).toEqual([
      '-o=-  1 1 IN IP4   192.0.2.1 ',
      '+o=- 1 2 IN IP4 192.0.2.1',
    ])
    expect(changed(ODD, (sdp) => ({ ...sdp, media: sdp.media.map((media) => ({ ...media, port: 9 })) }))).toEqual([
      '-m=audio  4000   RTP/AVP 0  8',
      '-m=video 0 RTP/AVP 31',
      '+m=audio 9 RTP/AVP 0 8',
      '+m=video 9 RTP/AVP 31',
    ])
  })

  it('puts a replaced attribute where the old one stood, and a new one behind the others', () => {
    const [audio, video] = parsed(ODD).media
    const media = withAttribute(withAttribute(audio!, 'sendrecv', 'x'), 'new')
    const lines = serializeSdp({ ...parsed(ODD), media: [media, video!] })
      .split('\r\n')
      .slice(11)
    expect(lines).toEqual([
      'm=audio  4000   RTP/AVP 0  8',
      'a=sendrecv:x',
      'k=clear:x',
      'a=ptime:20',
      'a=new',
      'c=IN IP4  192.0.2.2',
      'm=video 0 RTP/AVP 31',
    ])
  })

  it('removes a line and nothing else', () => {
    expect(changed(ODD, (sdp) => withoutAttributes(sdp, new Set(['early'])))).toEqual(['-a=early'])
    expect(changed(ODD, (sdp) => ({ ...sdp, media: sdp.media.slice(0, 1) }))).toEqual(['-m=video 0 RTP/AVP 31'])
    const { connection: _connection, ...rest } = parsed(`${ODD}\r\n`)
    expect(changed(ODD, () => rest)).toEqual(['-c=IN  IP4 192.0.2.1 '])
  })

  it('writes reordered lines in the order of the model', () => {
    const text = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\na=1\r\na=2\r\na=3\r\na=4\r\n'
    const sdp = parsed(text)
    const order = (names: string) =>
      serializeSdp({ ...sdp, attributes: [...names].map((name) => ({ name })) })
        .split('\r\n')
        .slice(2)
        .join('')
        .replaceAll('a=', '')
    for (const names of ['4321', '2', '1x4', 'x1234', '1234x', '3x1', '1122', '', '41', 'xyz', '13524']) {
      expect(order(names)).toBe(names)
    }
  })

  it('puts lines of a kind that was not there where RFC 8866 §5 has them', () => {
    const text = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 1 RTP/AVP 0\r\na=x\r\n'
    const sdp = parsed(text)
    const connection = { netType: 'IN', family: 'IP4', address: '192.0.2.1' } as const
    const media = [{ ...sdp.media[0]!, title: 'T' }]
    expect(serializeSdp({ ...sdp, name: 'S', connection, attributes: [{ name: 'y' }], media })).toBe(
      'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=S\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=y\r\nm=audio 1 RTP/AVP 0\r\ni=T\r\na=x\r\n',
    )
  })

  it('ends new lines as the first line is ended, and all with CRLF where that is asked for', () => {
    const lf = `${ODD}\r\n`.replaceAll('\r\n', '\n')
    const sdp = withAttribute(parsed(lf), 'new')
    expect(serializeSdp(sdp)).not.toContain('\r')
    expect(serializeSdp(sdp, { lineEnds: 'crlf' })).not.toMatch(/[^\r]\n/)
    const open = parsed('v=0\no=- 1 1 IN IP4 192.0.2.1')
    expect(serializeSdp(withAttribute(open, 'x'))).toBe('v=0\no=- 1 1 IN IP4 192.0.2.1\na=x\n')
  })

  it('writes a description that lost its source in the order of RFC 8866 §5', () => {
    const plain = JSON.parse(JSON.stringify(parsed(ODD))) as SessionDescription
    expect(serializeSdp(plain).split('\r\n').slice(0, 5)).toEqual([
      'v=0',
      'o=- 1 1 IN IP4 192.0.2.1',
      's=-',
      'c=IN IP4 192.0.2.1',
      'b=CT:1',
    ])
  })

  it('says where each medium begins', () => {
    const sdp = { ...parsed(ODD), info: 'm=\u00e9' }
    const bytes = sdpToBytes(sdp)
    for (const at of mediaOffsets(sdp)) expect(bytes.subarray(at, at + 2).toString()).toBe('m=')
    expect(mediaOffsets(sdp)).toHaveLength(2)
  })

  it('takes time in proportion to the lines, whatever was changed', () => {
    const many = `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n${Array.from({ length: 2_000 }, (_, at) => `a=x${at}\r\n`).join('')}`
    const sdp = parsed(many)
    const reversed = { ...sdp, attributes: [...sdp.attributes].reverse() }
    const started = performance.now()
    expect(parsed(serializeSdp(reversed)).attributes).toEqual(reversed.attributes)
    expect(performance.now() - started).toBeLessThan(500)
  })

  it('refuses CR, LF and NUL in every value', () => {
    const plain: SessionDescription = JSON.parse(JSON.stringify(parsed(ODD)))
    for (const evil of ['a\r\na=evil', 'a\ra', 'a\na', 'a\0']) {
      const injected: SessionDescription[] = [
        { ...plain, name: evil },
        { ...plain, info: evil },
        { ...plain, emails: [evil] },
        { ...plain, origin: { ...plain.origin, username: evil } },
        { ...plain, attributes: [{ name: 'x', value: evil }] },
        { ...plain, media: [{ ...plain.media[0]!, formats: [evil] }] },
        { ...parsed(ODD), name: evil },
      ]
      for (const sdp of injected) {
        expect(() => serializeSdp(sdp)).toThrow(expect.objectContaining({ code: 'HEADER_INJECTION' }))
        expect(() => sdpToBytes(sdp, { lineEnds: 'crlf' })).toThrow(SipUsageError)
      }
      expect(() => withAttribute(plain, 'x', evil)).toThrow(SipUsageError)
      expect(() => withAttribute(plain, evil)).toThrow(SipUsageError)
    }
    expect(() => withAttribute(plain, 'a:b')).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }))
  })
})
