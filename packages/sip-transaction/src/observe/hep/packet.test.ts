import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../../errors'
import { SeededRandom } from '../../testing/seeded-random'
import { decodeHep, encodeHep, type HepPacket } from './packet'

const packet: HepPacket = {
  source: { address: '192.0.2.1', port: 5060 },
  destination: { address: '198.51.100.7', port: 5062 },
  ipProtocol: 17,
  wallMs: 1_700_000_000_123.456,
  payloadType: 1,
  agentId: 2001,
  key: 'pass',
  correlationId: 'call@host',
  payload: Buffer.from('OPTIONS sip:a@b SIP/2.0\r\n\r\n'),
}

/** A chunk by hand. */
function chunk(type: number, value: Uint8Array, vendor = 0): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt16BE(vendor, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(6 + value.length, 4)
  return Buffer.concat([head, value])
}

function packetOf(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat(chunks)
  const head = Buffer.from('HEP3\0\0')
  head.writeUInt16BE(6 + body.length, 4)
  return Buffer.concat([head, body])
}

describe('encodeHep', () => {
  it('writes the chunks of HEP version 3 byte for byte', () => {
    const small = { ...packet, payload: Buffer.from('hi'), correlationId: 'c' }
    expect(encodeHep(small).toString('hex')).toBe(
      [
        '484550330076',
        '00000001000702',
        '00000002000711',
        '00000003000ac0000201',
        '00000004000ac6336407',
        '00000007000813c4',
        '00000008000813c6',
        '00000009000a6553f100',
        '0000000a000a0001e240',
        '0000000b000701',
        '0000000c000a000007d1',
        '0000000e000a70617373',
        '00000011000763',
        '0000000f00086869',
      ].join(''),
    )
  })

  it.each([
    ['IPv4', '192.0.2.1', '198.51.100.7'],
    ['IPv6', '2001:db8::1', 'fe80::ff:fe00:1'],
    ['IPv6 with an IPv4 tail', '::ffff:192.0.2.1', '::1'],
    ['the unspecified address', '::', '2001:db8:0:1::'],
  ])('is read back by decodeHep: %s', (_name, from, to) => {
    const written = { ...packet, source: { address: from, port: 1 }, destination: { address: to, port: 65_535 } }
    const read = decodeHep(encodeHep(written))
    expect(read.ok && { ...read.packet, payload: Buffer.from(read.packet.payload) }).toEqual({
      ...written,
      wallMs: expect.closeTo(written.wallMs, 2),
    })
  })

  it('leaves a zone out, and writes addresses of two families as IPv6', () => {
    const read = decodeHep(encodeHep({ ...packet, destination: { address: 'fe80::1%eth0', port: 5060 } }))
    expect(read.ok && [read.packet.source.address, read.packet.destination.address]).toEqual([
      '::ffff:192.0.2.1',
      'fe80::1',
    ])
  })

  it.each<[string, Partial<HepPacket>]>([
    ['a name in place of an address', { source: { address: 'example.com', port: 1 } }],
    ['a port over 65535', { destination: { address: '192.0.2.1', port: 65_536 } }],
    ['a payload over 64 KiB', { payload: new Uint8Array(65_500) }],
    ['a time that is none', { wallMs: Number.NaN }],
    ['a key that does not fit', { key: 'x'.repeat(70_000) }],
  ])('refuses %s', (_name, change) => {
    expect(() => encodeHep({ ...packet, ...change })).toThrow(SipUsageError)
  })
})

describe('decodeHep', () => {
  const whole = encodeHep(packet)

  it('passes over chunks of other vendors and unknown types, and takes the first of two', () => {
    const extra = packetOf(
      chunk(15, Buffer.from('forged'), 0x0f),
      chunk(0x1234, Buffer.from('?')),
      whole.subarray(6),
      chunk(15, Buffer.from('late')),
    )
    const read = decodeHep(extra)
    expect(read.ok && Buffer.from(read.packet.payload).toString()).toBe('OPTIONS sip:a@b SIP/2.0\r\n\r\n')
  })

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'HEP_NO_PACKET'],
    ['SIP', Buffer.from('OPTIONS sip:a@b SIP/2.0\r\n\r\n'), 'HEP_NO_PACKET'],
    ['version 2', Buffer.concat([Buffer.from([2, 16, 2, 17]), Buffer.alloc(40)]), 'HEP_NO_PACKET'],
    ['a length that is too large', Buffer.concat([Buffer.from('HEP3'), Buffer.from([255, 255])]), 'HEP_LENGTH'],
    ['a length that is too small', Buffer.concat([whole, Buffer.from('x')]), 'HEP_LENGTH'],
    ['a chunk shorter than its head', packetOf(Buffer.from([0, 0, 0, 1, 0, 5])), 'HEP_LENGTH'],
    ['a chunk of length 0', packetOf(Buffer.from([0, 0, 0, 1, 0, 0])), 'HEP_LENGTH'],
    ['a chunk beyond the end', packetOf(Buffer.from([0, 0, 0, 1, 255, 255])), 'HEP_LENGTH'],
    ['half a chunk head', packetOf(Buffer.from([0, 0, 0])), 'HEP_LENGTH'],
    ['a port of one byte', packetOf(chunk(7, Buffer.from([1]))), 'HEP_CHUNK'],
    ['a family that nobody knows', packetOf(chunk(1, Buffer.from([7]))), 'HEP_CHUNK'],
    ['an empty packet', packetOf(), 'HEP_INCOMPLETE'],
    ['no payload', packetOf(whole.subarray(6, whole.length - 6 - packet.payload.length)), 'HEP_INCOMPLETE'],
    ['IPv6 without its addresses', packetOf(chunk(1, Buffer.from([10])), whole.subarray(13)), 'HEP_INCOMPLETE'],
    [
      'chunks without end',
      packetOf(...Array.from({ length: 10_000 }, () => chunk(99, Buffer.alloc(0)))),
      'HEP_CHUNKS_TOO_MANY',
    ],
  ])('refuses %s', (_name, bytes, code) => {
    expect(decodeHep(bytes)).toEqual({ ok: false, code })
  })

  it('throws at nothing: every cut, and 20 000 packets with bytes changed at random', () => {
    for (let length = 0; length < whole.length; length += 1) {
      expect(decodeHep(whole.subarray(0, length)).ok).toBe(false)
    }
    const random = new SeededRandom(3)
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Buffer.from(whole)
      for (let change = 0; change < 3; change += 1) {
        const at = 6 + Math.floor(random.fraction() * (bytes.length - 6))
        bytes[at] = Math.floor(random.fraction() * 256)
      }
      const read = decodeHep(bytes)
      if (read.ok) expect(read.packet.source.port).toBeLessThanOrEqual(65_535)
    }
  })
})
