import { createRequest, type HeaderInit } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { sdpOf, sessionBodyOf } from './session-body'

const sdp = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n'

function message(body: string | Uint8Array, contentType: string | undefined, ...headers: HeaderInit[]) {
  return createRequest({
    method: 'INVITE',
    uri: 'sip:a@example.com',
    headers,
    body,
    ...(contentType === undefined ? {} : { contentType }),
  })
}

const found = (body: string, contentType: string | undefined, ...headers: HeaderInit[]) => {
  const bytes = sdpOf(message(body, contentType, ...headers))
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1')
}

const part = (type: string, content: string) => `--b\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`

describe('sessionBodyOf', () => {
  it('finds a description of its own, in any case, with parameters, or without a type', () => {
    for (const type of ['application/sdp', 'Application/SDP; charset=utf-8', undefined])
      expect(found(sdp, type)).toBe(sdp)
    expect(sessionBodyOf(message('', 'application/sdp'))).toEqual({ kind: 'none' })
  })

  it('RFC 2046 §5.1.1: finds the first plain description among parts, with or without preamble and end', () => {
    const other = part('application/pidf+xml', '<a/>')
    for (const body of [
      `${part('application/sdp', sdp)}--b--`,
      `text before\r\n${other}${part('application/sdp', sdp)}${part('application/sdp', 'second')}--b--\r\nafter`,
      `${other}--b\r\nX: y\r\ncontent-type:application/sdp;x=y\r\n\r\n${sdp}`,
    ]) {
      expect(found(body, 'multipart/alternative; boundary=b')).toBe(sdp)
    }
  })

  it('takes nothing from encoded parts, from behind the end, or without a boundary', () => {
    const encoded = `--b\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b--`
    const behind = `${part('text/plain', 'x')}--b--\r\n${part('application/sdp', sdp)}`
    for (const body of [encoded, behind, '', '--', '--b', '--b\r\n', 'no boundary at all', '\r\n--b'.repeat(1_000)]) {
      expect(found(body, 'multipart/mixed;boundary=b'), body.slice(0, 20)).toBeUndefined()
    }
    expect(found(part('application/sdp', sdp), 'multipart/mixed')).toBeUndefined()
  })

  it('RFC 3261 §8.2.3: what nobody understands is unsupported, unless its sender calls it optional', () => {
    expect(sessionBodyOf(message('x', 'text/plain'))).toEqual({ kind: 'unsupported' })
    expect(sessionBodyOf(message(sdp, 'application/sdp', ['Content-Encoding', 'gzip']))).toEqual({
      kind: 'unsupported',
    })
    expect(sessionBodyOf(message(sdp, 'application/sdp', ['Content-Encoding', 'identity'])).kind).toBe('sdp')
    expect(sessionBodyOf(message('x', 'not a type'))).toEqual({ kind: 'unsupported' })
    const optional: HeaderInit = ['Content-Disposition', 'render;handling=optional']
    expect(sessionBodyOf(message('x', 'text/plain', optional))).toEqual({ kind: 'none' })
    const required: HeaderInit = ['Content-Disposition', 'render;handling=required']
    expect(sessionBodyOf(message('x', 'text/plain', required))).toEqual({ kind: 'unsupported' })
  })

  it('a long body of delimiters costs time in proportion', () => {
    const started = performance.now()
    expect(found('\r\n--b\r\n'.repeat(100_000), 'multipart/mixed;boundary=b')).toBeUndefined()
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
