import { describe, expect, it } from 'vitest'
import { sessionDescriptionOf } from '../calls/session-description'
import { phoneSdp, Scenario } from '../fixtures/scenario'

const multipart = [
  '--cut\r\nContent-Type: application/isup\r\n\r\nxyz',
  `--cut\r\nContent-Type: application/sdp\r\n\r\n${phoneSdp('alice')}`,
  '--cut--\r\n',
].join('\r\n')

describe('what a request carries', () => {
  const bodies = [
    ['application/sdp', phoneSdp('alice'), 'alice'],
    ['multipart/mixed;boundary=cut', multipart, 'alice'],
    ['application/sdp', 'v=0\r\nm=audio\r\n', 'SDP_MEDIA_INVALID'],
    ['text/plain', phoneSdp('alice'), undefined],
    ['text/plain', '', undefined],
  ] as const

  it.each(bodies)(
    'RFC 3261 §7.4.1, RFC 5621 §3: a description in %s is read, or says what is wrong',
    async (...each) => {
      const [contentType, body, expected] = each
      const scenario = new Scenario()
      const [alice, bob] = [await scenario.stack('alice'), await scenario.stack('bob')]
      const seen: unknown[] = []
      const again: unknown[][] = []
      bob.method('MESSAGE', (request) => {
        const { sdp } = request
        seen.push(sdp?.ok ? sdp.value.origin.username : sdp?.error.code)
        again.push([sessionDescriptionOf(request.message), sdp])
        request.reply(sdp?.ok === false ? sdp.error.suggestedStatus : 200)
      })
      const asking = alice.request({ method: 'MESSAGE', uri: bob.uri, body, contentType })
      await scenario.clock.advance(1_000)
      const { status } = await asking
      expect(seen).toEqual([expected])
      expect(status).toBe(expected?.startsWith('SDP_') ? 400 : 200)
      for (const [first, second] of again) expect(first).toEqual(second)
      await scenario.settle(Promise.all(scenario.stacks.map((stack) => stack.close())))
    },
  )

  it('RFC 3428 §7: a MESSAGE is plain text in UTF-8 when nothing else is said', async () => {
    const scenario = new Scenario()
    const [alice, bob] = [await scenario.stack('alice'), await scenario.stack('bob')]
    const seen: unknown[] = []
    bob.method('MESSAGE', (request) => {
      seen.push(request.text, request.message.get('Content-Type'), request.sdp, request.from.user)
      request.reply(200)
    })
    const asking = alice.request({
      method: 'MESSAGE',
      uri: bob.uri,
      from: 'sip:åsa@example.com'.replace('å', '%C3%A5'),
      body: 'grüß dich',
    })
    await scenario.clock.advance(1_000)
    expect((await asking).status).toBe(200)
    expect(seen).toEqual(['grüß dich', 'text/plain;charset=utf-8', undefined, 'åsa'])
    await scenario.settle(Promise.all(scenario.stacks.map((stack) => stack.close())))
  })
})

describe('the address of a stack', () => {
  it('towards a peer is that of a listener which reaches it, and none for a transport that it has not', async () => {
    const scenario = new Scenario()
    const [alice, bob] = [
      await scenario.stack('alice'),
      await scenario.stack('bob', { advertise: 'sip.example.com:5080' }),
    ]
    const seen: unknown[] = []
    bob.method('MESSAGE', (request) => {
      seen.push(bob.localAddress(request.source))
      request.reply(200)
    })
    const asking = alice.request({ method: 'MESSAGE', uri: bob.uri, destination: bob.listeners[0]!, body: 'x' })
    await scenario.clock.advance(1_000)
    expect((await asking).status).toBe(200)
    expect(seen).toEqual([{ transport: 'UDP', address: 'sip.example.com', port: 5080 }])
    expect(String(bob.uri)).toBe('sip:sip.example.com:5080')
    const peer = { address: '10.0.0.9', port: 5060 }
    expect(alice.localAddress({ transport: 'UDP', ...peer })).toEqual({
      transport: 'UDP',
      address: '10.0.0.1',
      port: 5060,
    })
    expect(alice.localAddress({ transport: 'TLS', ...peer })).toBeUndefined()
    expect(alice.localAddress({ transport: 'UDP', address: '2001:db8::1', port: 5060 })).toBeUndefined()
    await scenario.settle(Promise.all(scenario.stacks.map((stack) => stack.close())))
  })
})
