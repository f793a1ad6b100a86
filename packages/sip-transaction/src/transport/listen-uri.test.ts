import { describe, expect, it } from 'vitest'
import { formatListenUri, parseListenUri } from './listen-uri'

describe('listen URIs', () => {
  it.each([
    ['udp://127.0.0.1:5060', 'udp', '127.0.0.1', 5060],
    ['tcp://[::1]:0', 'tcp', '::1', 0],
    ['UDP://0.0.0.0', 'udp', '0.0.0.0', 5060],
    ['tcp://[fe80::1%eth0]:5070/', 'tcp', 'fe80::1%eth0', 5070],
    ['tls://[::]', 'tls', '::', 5061],
    ['ws://127.0.0.1', 'ws', '127.0.0.1', 80],
    ['WSS://127.0.0.1/', 'wss', '127.0.0.1', 443],
  ])('%s is read', (text, scheme, address, port) => {
    expect(parseListenUri(text)).toEqual({ scheme, address, port })
  })

  it.each([
    '',
    'udp:127.0.0.1:5060',
    'udp://localhost:5060',
    'udp://::1:5060',
    'udp://[127.0.0.1]:5060',
    'udp://127.0.0.1:65536',
    'udp://127.0.0.1:-1',
    'udp://127.0.0.1:5060/path',
    'udp://127.0.0.1:',
    '://127.0.0.1:5060',
    'udp://user@127.0.0.1:5060',
    'udp://127.0.0.256:5060',
  ])('%j is refused with LISTEN_INVALID', (text) => {
    expect(() => parseListenUri(text)).toThrow(expect.objectContaining({ code: 'LISTEN_INVALID' }))
  })

  it('a URI of any length is refused with a short message', () => {
    const refuse = () => parseListenUri(`udp://${'a'.repeat(100_000)}`)
    expect(refuse).toThrow(expect.objectContaining({ code: 'LISTEN_INVALID' }))
    try {
      refuse()
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(300)
    }
  })

  it.each(['udp://127.0.0.1:5060', 'tcp://[::1]:0'])('%s is written as it was read', (text) => {
    expect(formatListenUri(parseListenUri(text))).toBe(text)
  })
})
