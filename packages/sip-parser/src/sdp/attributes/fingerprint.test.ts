import { describe, expect, it } from 'vitest'
import { answerSetup, connectionCodec, fingerprintCodec, setupCodec, tlsIdCodec } from './fingerprint'

describe('fingerprint and setup', () => {
  it.each([
    [
      'sha-1 4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A',
      { hash: 'sha-1', digest: '4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A:4A' },
    ],
  ])('RFC 8122 §5: reads and writes %j', (text, value) => {
    expect(fingerprintCodec.decode(text)).toEqual({ ok: true, value })
    expect(fingerprintCodec.encode(value as never)).toEqual({ name: fingerprintCodec.name, value: text })
  })

  it.each([
    ['sha-1', 'SDP_FINGERPRINT_INVALID', 5],
    ['sha-1 4A:AD', 'SDP_FINGERPRINT_INVALID', 6],
    ['other 4A:A', 'SDP_FINGERPRINT_INVALID', 8],
  ])('RFC 8122 §5: refuses %j with %s', (text, code, offset) => {
    const result = fingerprintCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([
    ['actpass', 'actpass'],
    ['holdconn', 'holdconn'],
  ])('RFC 4145 §4: reads and writes %j', (text, value) => {
    expect(setupCodec.decode(text)).toEqual({ ok: true, value })
    expect(setupCodec.encode(value as never)).toEqual({ name: setupCodec.name, value: text })
  })

  it.each([
    ['actpassive', 'SDP_SETUP_INVALID', 0],
    ['', 'SDP_SETUP_INVALID', 0],
  ])('RFC 4145 §4: refuses %j with %s', (text, code, offset) => {
    const result = setupCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([['existing', 'existing']])('RFC 4145 §5: reads and writes %j', (text, value) => {
    expect(connectionCodec.decode(text)).toEqual({ ok: true, value })
    expect(connectionCodec.encode(value as never)).toEqual({ name: connectionCodec.name, value: text })
  })

  it.each([['old', 'SDP_SETUP_INVALID', 0]])('RFC 4145 §5: refuses %j with %s', (text, code, offset) => {
    const result = connectionCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([['abc3de65cddef001be82', 'abc3de65cddef001be82']])('RFC 8842 §4: reads and writes %j', (text, value) => {
    expect(tlsIdCodec.decode(text)).toEqual({ ok: true, value })
    expect(tlsIdCodec.encode(value as never)).toEqual({ name: tlsIdCodec.name, value: text })
  })

  it.each([['short', 'SDP_SETUP_INVALID', 0]])('RFC 8842 §4: refuses %j with %s', (text, code, offset) => {
    const result = tlsIdCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it('RFC 8122 §5: digits of either case are read', () => {
    const digest = Array.from({ length: 32 }, () => 'aB').join(':')
    expect(fingerprintCodec.decode(`SHA-256 ${digest}`)).toEqual({
      ok: true,
      value: { hash: 'sha-256', digest: digest.toUpperCase() },
    })
  })

  it('RFC 5763 §5: who may choose opens', () => {
    expect(answerSetup('actpass')).toBe('active')
    expect(answerSetup('active')).toBe('passive')
    expect(answerSetup('passive')).toBe('active')
    expect(answerSetup('holdconn')).toBe('holdconn')
  })
})
