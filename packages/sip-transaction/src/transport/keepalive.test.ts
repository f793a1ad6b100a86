import { describe, expect, it } from 'vitest'
import { classifyDatagram, stunBindingResponse } from './keepalive'

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

/** The sample request of RFC 5769 §2.1 without its attributes. */
const transaction = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]
const request = Uint8Array.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...transaction])

describe('classifyDatagram', () => {
  it.each([
    ['OPTIONS sip:a@b SIP/2.0\r\n', 'message'],
    ['SIP/2.0 200 OK\r\n', 'message'],
    ['\r\n\r\nOPTIONS sip:a@b SIP/2.0\r\n', 'message'],
    ['', 'keep-alive'],
    ['\r\n', 'keep-alive'],
    ['\r\n\r\n', 'keep-alive'],
    ['\0', 'keep-alive'],
    ['\0\0\0\0', 'keep-alive'],
    ['  ', 'keep-alive'],
    ['\xff\xfe\xfd', 'garbage'],
    ['\x80\x00\x12\x34', 'garbage'],
    ['\x01\x02', 'garbage'],
    [' OPTIONS', 'garbage'],
    ['\r\n\x01', 'garbage'],
  ])('%j is %s', (text, kind) => {
    expect(classifyDatagram(latin1(text))).toBe(kind)
  })

  it('knows STUN by cookie and length, at any length cut', () => {
    expect(classifyDatagram(request)).toBe('stun')
    for (let length = 1; length < request.length; length++) {
      expect(classifyDatagram(request.subarray(0, length))).toBe(length === 1 ? 'keep-alive' : 'garbage')
    }
    expect(classifyDatagram(Uint8Array.from([...request, 0]))).toBe('garbage')
  })

  it('reads a long run of blanks once', () => {
    expect(classifyDatagram(new Uint8Array(65_507))).toBe('keep-alive')
  })
})

describe('stunBindingResponse', () => {
  it('RFC 5389 §15.2: masks an IPv4 address with the cookie (address of RFC 5769 §2.2)', () => {
    const response = stunBindingResponse(request, { address: '192.0.2.1', port: 32_853 })
    expect([...(response ?? [])]).toEqual([
      ...[1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42, ...transaction],
      ...[0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43],
    ])
  })

  it('RFC 5389 §15.2: masks an IPv6 address with cookie and transaction id (address of RFC 5769 §2.3)', () => {
    const source = { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 }
    const response = stunBindingResponse(request, source)
    expect([...(response ?? [])].slice(20)).toEqual([
      ...[0, 0x20, 0, 0x14, 0, 2, 0xa1, 0x47],
      ...[0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9],
    ])
  })

  it('reads compressed addresses, and zones, and works within a larger buffer', () => {
    const larger = Uint8Array.from([9, 9, ...request, 9]).subarray(2, 22)
    const response = stunBindingResponse(larger, { address: 'fe80::1%eth0', port: 5060 })
    const plain = [...(response ?? [])].slice(28).map((byte, i) => byte ^ [0x21, 0x12, 0xa4, 0x42, ...transaction][i]!)
    expect(plain).toEqual([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  })

  it('is silent for indications, responses, other methods and odd sources', () => {
    const source = { address: '192.0.2.1', port: 5060 }
    for (const type of [0x0011, 0x0101, 0x0111, 0x0002]) {
      const other = Uint8Array.from(request)
      new DataView(other.buffer).setUint16(0, type)
      expect(stunBindingResponse(other, source)).toBeUndefined()
    }
    expect(stunBindingResponse(request, { address: 'nowhere', port: 5060 })).toBeUndefined()
    expect(stunBindingResponse(request.subarray(0, 8), source)).toBeUndefined()
  })
})
